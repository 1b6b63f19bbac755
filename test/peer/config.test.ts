import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig, writeConfig } from '../../peer/config.ts'
import { configBytesMax } from '../../src/core/limits.ts'
import { scratchDirectory } from './scratch.ts'

const bootstrap = [
  '/ip4/203.0.113.5/tcp/4001/p2p/12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8'
]

describe('the config of a home', () => {
  it('is empty when there is no file', async () => {
    expect(await readConfig(join(await scratchDirectory(), 'config.json'))).toEqual({})
  })

  it('reads back as it was written', async () => {
    const path = join(await scratchDirectory(), 'config.json')
    const config = {
      bootstrap,
      port: 4001,
      data: 'csv:mine.csv?label=kind',
      backend: 'wasm' as const
    }
    await writeConfig(path, config)
    expect(await readConfig(path)).toEqual(config)
  })

  it('may begin with a byte order mark and end its lines as Windows does', async () => {
    const path = join(await scratchDirectory(), 'config.json')
    await writeFile(path, '\uFEFF{\r\n  "port": 4001\r\n}\r\n')
    expect(await readConfig(path)).toEqual({ port: 4001 })
  })

  it.each([
    ['an unknown key', '{"bootsrap": []}', /'bootsrap'.*did you mean 'bootstrap'\?.*listen/],
    ['a wrong type', '{"port": "4001"}', /port.*number/],
    ['a port out of range', '{"port": 65536}', /port.*65535/],
    ['a negative port', '{"port": -1}', /port.*0/],
    ['a number beyond all numbers', '{"port": 1e309}', /port/],
    ['an address that is none', '{"bootstrap": ["203.0.113.5:4001"]}', /bootstrap\.0.*multiaddr/],
    ['a choice that is none', '{"logFormat": "xml"}', /logFormat.*text.*json/],
    ['a prototype', '{"__proto__": {"port": 1}}', /'__proto__'/],
    ['a list', '[]', /object/],
    ['no JSON', '{"port": 4001', /not JSON/],
    ['no bytes', '', /not JSON/]
  ])('with %s is refused, and the message says where', async (_what, content, message) => {
    const path = join(await scratchDirectory(), 'config.json')
    await writeFile(path, content)
    await expect(readConfig(path)).rejects.toMatchObject({
      code: 'STARLING_BAD_CONFIG',
      message: expect.stringMatching(message) as string
    })
  })

  it('of endless length is refused unread', async () => {
    const path = join(await scratchDirectory(), 'config.json')
    await writeFile(path, Buffer.alloc(configBytesMax + 1, ' '))
    await expect(readConfig(path)).rejects.toMatchObject({ code: 'STARLING_HOME_UNUSABLE' })
  })

  it('is checked before it is written', async () => {
    const path = join(await scratchDirectory(), 'config.json')
    await writeConfig(path, { port: 1 })
    await expect(writeConfig(path, { port: 99_999 })).rejects.toMatchObject({
      code: 'STARLING_BAD_CONFIG'
    })
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ port: 1 })
  })
})
