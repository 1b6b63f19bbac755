import type { Kernel } from '../kernels.ts'
import { addressOf, type Heap } from './heap.ts'
import { place, type PlaceOptions, type Placement } from './place.ts'
import type { Plan } from './planner.ts'

/** A plan in its place: one call goes over a batch that lies at `input` and `labels`. */
export interface Pass {
  /** @returns the mean loss */
  readonly run: () => number
  /** Addresses, in bytes. */
  readonly input: number
  readonly labels: number
  readonly scores: number
  readonly kept: ReadonlyMap<string, number>
  /** Labels in a batch. */
  readonly rows: number
  readonly placements: readonly Placement[]
}

/**
 * Give a plan's regions their addresses, and bind its calls to them.
 * @param purpose - as for `Heap.reserve`
 * @throws STARLING_BAD_MODEL when the memory does not suffice
 */
export function createPass(
  plan: Plan,
  heap: Heap,
  purpose: string,
  options: PlaceOptions = {}
): Pass {
  const { placements, end } = place(
    plan.calls.map(({ args }) => args),
    heap.plansStart,
    options
  )
  heap.reserve(end, purpose)
  const calls = plan.calls.map(({ kernel, args }) => {
    if (kernel === 'begin' || kernel === 'end') return undefined
    const numbers = args.map((argument) =>
      typeof argument === 'number' ? argument : addressOf(argument)
    )
    return bound(kernel, heap.kernel(kernel), numbers)
  })
  const loss = calls[plan.lossCall] as () => number
  const before = calls.slice(0, plan.lossCall).filter((call) => call !== undefined)
  const after = calls.slice(plan.lossCall + 1).filter((call) => call !== undefined)
  return {
    run: () => {
      for (const call of before) call()
      const value = loss()
      for (const call of after) call()
      return value
    },
    input: addressOf(plan.input),
    labels: addressOf(plan.labels),
    scores: addressOf(plan.scores),
    kept: new Map([...plan.kept].map(([name, kept]) => [name, addressOf(kept)])),
    rows: plan.rows,
    placements
  }
}

function bound(name: string, kernel: Kernel, numbers: readonly number[]): () => number {
  if (kernel.length !== numbers.length) {
    throw new Error(`the kernel '${name}' takes ${kernel.length} numbers, not ${numbers.length}`)
  }
  return kernel.bind(undefined, ...numbers)
}
