import { z } from 'zod'

/** Which rule merges, and how much each model weighs; part of the task. */
export const mergeSchema = z.strictObject({
  rule: z.enum(['average', 'variance-corrected']),
  /**
   * `uniform`: all the same. `samples`: by training samples (FedAvg, DecAvg).
   * `metropolis`: 1 / (1 + the larger of both degrees), the rest for ourselves.
   */
  weights: z.enum(['uniform', 'samples', 'metropolis']).default('uniform')
})

export type MergeSpec = z.infer<typeof mergeSchema>
