import { Command } from 'commander'
import {
  describeDataset,
  type DatasetDescription,
  type PartDescription
} from '../learning/data/describe.ts'
import { loadDataset } from '../learning/data/spec.ts'
import { homeAt } from '../../peer/home.ts'
import { printFacts, printJson } from './print.ts'
import { dataDirectories, withCommonOptions, type CommonOptions } from './settings.ts'

export function dataCommand(): Command {
  const info = withCommonOptions(new Command('info'))
    .description('say what is in a data set')
    .argument('<spec>', 'data SPEC: glyphs, idx:DIR, cifar:DIR, csv:FILE?label=COLUMN or text:FILE')
    .addHelpText(
      'after',
      `
Examples:
  $ starling data info glyphs
  $ starling data info 'idx:./fashion-mnist?shard=0/5&partition=dirichlet:0.3&samples=300'
  $ starling data info cifar:./cifar-10-batches-bin
  $ starling data info 'text:./shakespeare.txt?context=64&shard=0/5'
  $ starling data info 'csv:./iris.csv?label=species' --json`
    )
    .action((spec: string, options: CommonOptions) => {
      const description = describeDataset(loadDataset(spec, dataDirectories(homeAt(options.home))))
      if (options.json === true) return printJson(description)
      printFacts({
        name: description.name,
        shape: description.shape.join(' × '),
        classes: description.classes,
        ...partsForPeople(description)
      })
    })
  return new Command('data').description('look at data sets').addCommand(info)
}

function partsForPeople({ positions, train, test }: DatasetDescription): Record<string, string> {
  if (positions === undefined)
    return { train: samplesForPeople(train), test: samplesForPeople(test) }
  return {
    labels: `${positions} a sample, one at each position`,
    train: sequencesForPeople(train),
    test: sequencesForPeople(test)
  }
}

function samplesForPeople({ samples, classCounts, features }: PartDescription): string {
  const values =
    features === null
      ? ''
      : `; values ${features.min.toFixed(2)} to ${features.max.toFixed(2)}, mean ${features.mean.toFixed(3)}`
  return `${samples} samples; of each class ${classCounts.join(' ')}${values}`
}

/** Of a sequence the features are names, whose range and mean say nothing. */
function sequencesForPeople({ samples, classCounts }: PartDescription): string {
  const labels = classCounts.reduce((sum, count) => sum + count, 0)
  const met = classCounts.filter((count) => count > 0).length
  return `${samples} samples with ${labels} labels of ${met} classes`
}
