// Package chat is the chat services on this machine, and a webhook, with the
// limits, the signatures and the answers of the real ones. Each stands in a file
// of its own; [Services] lists them.
//
// It promises:
//
//   - What a service would refuse is refused: a message that is too large, one
//     too many, a signature that is wrong or old, a keyword that is missing.
//   - [Chat.Messages] is all that a group sees, in order; [Chat.Attempts] is all
//     that was sent, with what was answered.
//   - A service can be told to misbehave: see [Fault].
//
// The services are [Chat.Handler]; [Chat.Transport] reaches them without sockets,
// so that they work inside a testing/synctest bubble, by whatever host.
//
// # Control
//
//	GET    /chat/messages   JSON lines of MESSAGE; ?since=N: those after number N
//	GET    /chat/attempts   JSON lines of ATTEMPT; ?since=N
//	GET    /chat/robots     JSON lines {"service","name","secret","keyword","path"}
//	POST   /chat/fault      {"fault":"throttle","service":"dingtalk","robot":"team","times":1}; all but "fault" may be left out
//	DELETE /chat/fault      none from now on
//
//	MESSAGE {"number","at","service","robot","id","form","title","text","mentions":[…],"body"}
//	ATTEMPT {"number","at","service","robot","id","status","answer","outcome","fault"}
package chat
