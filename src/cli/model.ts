import { InvalidArgumentError, Option, type Command } from 'commander'
import { StarlingError } from '../core/errors.ts'
import { explain } from '../core/explain.ts'
import type { DataSchema } from '../learning/data/dataset.ts'
import { readModelFile } from '../learning/model/file.ts'
import { presetNames, presetSchema, type ModelSpec } from '../learning/model/spec.ts'

/** How a command line says which model is meant. */
export interface ModelOptions {
  readonly model?: string
  readonly hidden?: readonly number[]
  readonly layers?: string | undefined
}

/** Options of presets that differ from what their schema has, by the preset's name. */
export type PresetSizes = Readonly<Record<string, object>>

export function withModelOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--model <preset>', 'which model (default: mlp, and chargpt for text)').choices(
        presetNames
      )
    )
    .addOption(
      new Option(
        '--hidden <list>',
        'units of the hidden layers, such as 128,64, of a preset that has them'
      ).argParser(parseWidths)
    )
    .addOption(
      new Option(
        '--layers <file>',
        'a model of your own: a list of layers or a tfjs-layers topology, JSON or YAML'
      ).conflicts(['model', 'hidden'])
    )
}

/**
 * The model that was asked for, or else the usual one for such data.
 *
 * @param sizes - of presets, where the user says nothing
 * @throws STARLING_BAD_ARGUMENT when the preset has no such hidden layers
 * @throws STARLING_BAD_MODEL when the file of layers is not valid
 */
export function modelFrom(
  { model, hidden, layers }: ModelOptions,
  { positions }: DataSchema,
  sizes: PresetSizes = {}
): ModelSpec {
  if (layers !== undefined) return readModelFile(layers)
  const preset = model ?? (positions === undefined ? 'mlp' : 'chargpt')
  const asked = { preset, ...(hidden === undefined ? sizes[preset] : widths(preset, hidden)) }
  const parsed = presetSchema.safeParse(asked)
  if (parsed.success) return parsed.data
  const [why] = explain(presetSchema, parsed.error, asked)
  throw new StarlingError('STARLING_BAD_ARGUMENT', `the model '${preset}' is not like that: ${why}`)
}

/** The one preset with a single hidden layer takes a number. */
function widths(preset: string, hidden: readonly number[]): object {
  return { hidden: preset === 'cnn' && hidden.length === 1 ? hidden[0] : hidden }
}

/** What a model is called in a line for people. */
export function modelForPeople(model: ModelSpec): string {
  if ('preset' in model) return model.preset
  return 'topology' in model ? 'custom topology' : `${model.layers.length} layers`
}

function parseWidths(text: string): number[] {
  return text.split(',').map((part) => {
    const width = Number(part)
    if (part.trim() !== '' && Number.isInteger(width) && width > 0) return width
    throw new InvalidArgumentError('whole numbers above 0 with commas between them are expected')
  })
}
