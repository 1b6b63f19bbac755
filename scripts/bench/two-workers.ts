import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { median } from './median.ts'

const rounds = 5

/** How much more two threads train than one in the same time on the wall, with `mlp`. */
export async function benchTwoWorkers(): Promise<number> {
  const thread = new URL('./two-workers-thread.ts', import.meta.url)
  const workers = [new Worker(thread), new Worker(thread)]
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const wallMs = async (some: readonly Worker[]): Promise<number> => {
    const startMs = performance.now()
    await Promise.all(
      some.map(async (worker) => {
        worker.postMessage('train')
        await once(worker, 'message')
      })
    )
    return performance.now() - startMs
  }
  const speedups: number[] = []
  for (let round = 0; round < rounds; round++) {
    const alone = await wallMs(workers.slice(0, 1))
    speedups.push((2 * alone) / (await wallMs(workers)))
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  return median(speedups)
}
