import { z } from 'zod'

/** How the learning rate changes with the steps taken; by default it does not. */
export const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('step'),
    /** Steps between two changes. */
    everySteps: z.int().min(1).max(1e9),
    /** What the rate is multiplied by. */
    factor: z.number().positive().max(1)
  }),
  z.strictObject({
    /** From the full rate down to `floor` of it over `steps`, as a straight line or half a cosine. */
    kind: z.enum(['linear', 'cosine']),
    steps: z.int().min(1).max(1e9),
    floor: z.number().min(0).max(1).default(0),
    /** Steps in which the rate first rises from 0; counted among `steps`. */
    warmupSteps: z.int().min(0).max(1e9).default(0)
  })
])

export type Schedule = z.infer<typeof scheduleSchema>

/**
 * What the learning rate is multiplied by. Cosine: Loshchilov and Hutter, "SGDR", ICLR 2017.
 * @param step - counted from 0
 */
export function paceAt(schedule: Schedule | undefined, step: number): number {
  if (schedule === undefined) return 1
  if (schedule.kind === 'step')
    return power(schedule.factor, Math.floor(step / schedule.everySteps))
  const { steps, floor, warmupSteps } = schedule
  if (step < warmupSteps) return (step + 1) / warmupSteps
  const share = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps))
  const fall = schedule.kind === 'linear' ? share : (1 - cosine(share)) / 2
  return 1 - (1 - floor) * fall
}

/**
 * base^exponent by squaring, for whole exponents ≥ 0. Multiplication is the same on every machine,
 * which `Math.pow` need not be.
 */
export function power(base: number, exponent: number): number {
  let result = 1
  let square = base
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square
    square *= square
  }
  return result
}

/** cos(π · turn) for 0 ≤ turn ≤ 1, error below 1e-9: Taylor's series around a quarter turn. */
function cosine(turn: number): number {
  const x = (0.5 - turn) * Math.PI
  const square = x * x
  let sum = 0
  for (let n = 15; n >= 3; n -= 2) sum = ((sum + 1) * -square) / (n * (n - 1))
  return x * (1 + sum)
}
