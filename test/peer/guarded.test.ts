import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Guard } from '../../peer/guarded.ts'
import { startNode } from './swarm.ts'

describe('Guard', () => {
  const escaped: unknown[] = []
  const note = (error: unknown) => escaped.push(error)
  beforeEach(() => {
    process.on('uncaughtException', note).on('unhandledRejection', note)
  })
  afterEach(() => {
    process.off('uncaughtException', note).off('unhandledRejection', note)
    escaped.length = 0
  })

  it('contains throws and rejections in listeners of a real node', async () => {
    const reported: string[] = []
    const guard = new Guard((where, error) => reported.push(`${where}: ${String(error)}`))
    const [ana, ben] = [await startNode(), await startNode()]
    guard.listen(ana, 'peer:connect', () => {
      throw new Error('at once')
    })
    guard.listen(ana, 'connection:open', () => Promise.reject(new Error('later')))
    const connected = once(ana, 'peer:connect')
    await ben.dial(ana.getMultiaddrs()[0]!)
    await connected
    await new Promise((resolve) => setImmediate(resolve))

    expect(escaped).toEqual([])
    expect(guard.bugs).toBe(2)
    expect(reported.sort()).toEqual([
      "a listener of 'connection:open': Error: later",
      "a listener of 'peer:connect': Error: at once"
    ])
    expect(ana.status).toBe('started')
  })

  it('stops listening when told to', () => {
    const guard = new Guard(() => undefined)
    const source = new EventTarget()
    let heard = 0
    const stop = guard.listen(source, 'news', () => heard++)
    source.dispatchEvent(new Event('news'))
    stop()
    source.dispatchEvent(new Event('news'))
    expect(heard).toBe(1)
  })

  it('answers otherwise when a question throws', () => {
    const guard = new Guard(() => undefined)
    const half = guard.answer('halving', -1, (n: number) => {
      if (n % 2 === 1) throw new Error('odd')
      return n / 2
    })
    expect([half(4), half(3)]).toEqual([2, -1])
    expect(guard.bugs).toBe(1)
  })

  it('survives a report that throws, or that reports again', () => {
    const guard = new Guard((where) => {
      guard.run(where, () => {
        throw new Error('again')
      })
      throw new Error('and again')
    })
    guard.run('first', () => {
      throw new Error('once')
    })
    expect(guard.bugs).toBe(2)
  })
})
