import { z } from 'zod'

/** Units, filters, or places of a layer. */
export const widthSchema = z.int().min(1).max(65_536)
