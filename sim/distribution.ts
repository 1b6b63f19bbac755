import type { z } from 'zod'
import type { Random } from '../src/core/random.ts'
import type { amountSchema } from './scenario.ts'

/** A number, or how to draw one. */
export type Amount = z.infer<typeof amountSchema>

export function draw(amount: Amount, random: Random): number {
  if (typeof amount === 'number') return amount
  switch (amount.kind) {
    case 'uniform':
      return amount.min + (amount.max - amount.min) * random.next()
    case 'lognormal':
      return amount.median * Math.exp(amount.sigma * random.normal())
    case 'exponential':
      return amount.mean * random.exponential()
  }
}
