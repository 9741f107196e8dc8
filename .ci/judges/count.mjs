// A reporter that prints how many tests passed and failed. A test that was
// skipped judged nothing, and counts as failed.
export default async function* count(source) {
  let passed = 0, failed = 0;
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const ok = type === 'test:pass' && !data.skip && !data.todo;
    // A suite, or a file, fails with its tests; alone it fails by its hooks.
    const suite = data.details?.type === 'suite';
    const consequence = data.details?.error?.failureType === 'subtestsFailed';
    if (ok && !suite) passed++;
    if (!ok && !consequence) failed++;
  }
  yield `${passed} ${failed}\n`;
}
