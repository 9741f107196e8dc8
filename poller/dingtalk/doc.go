// Package dingtalk asks DingTalk's conference API for one tenant. [Client] is a
// poller.Source: it batches questions about meetings, looks up single ones and
// decodes what came back.
//
// What it promises:
//   - One call spends one metered request, two when DingTalk refused the token
//     and a renewed one was tried. Nothing else is retried here.
//   - An answer is split without being decoded, so that an unchanged meeting
//     costs one comparison of its bytes, one that is new or has changed one
//     scan. What the answer does not say stays unsaid.
//   - Every failure is a [Fault] with its class, or the caller's own context error.
//   - Tokens are kept and renewed ahead of their end, by one request at a time.
//     Secrets are read again for each of these requests; when they have changed,
//     which is noticed within half a minute, one is made with the new ones.
//   - Secrets, tokens and join links never reach an error or the log.
package dingtalk
