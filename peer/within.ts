/** @returns whether the work was done, one way or another, before the time was up */
export async function within(ms: number, work: Promise<unknown> | undefined): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  void Promise.resolve(work).then(
    () => resolve(true),
    () => resolve(true)
  )
  return promise.finally(() => clearTimeout(timer))
}
