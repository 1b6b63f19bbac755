#!/usr/bin/env node
/**
 * The first file that runs. It imports nothing before it has looked at Node: on an old one the rest
 * does not even load, with errors that name none of the causes.
 */
const nodeMajorMin = 22
const nodeMajor = Number(process.versions.node.split('.')[0])

if (nodeMajor < nodeMajorMin) {
  process.stderr.write(
    `starling needs Node ${nodeMajorMin} or newer, and this is Node ${process.versions.node} ` +
      `(${process.execPath}).\nInstall a newer one from https://nodejs.org, or run starling inside ` +
      `the project with 'npx starling', which brings its own.\n`
  )
  process.exit(3)
}

const { heedReaders } = await import('./readers.ts')
heedReaders(process.argv[2])
const { main } = await import('./main.ts')
await main(process.argv)
