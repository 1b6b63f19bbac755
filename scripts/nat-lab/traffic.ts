import { readFileSync } from 'node:fs'
import type { Namespace } from './lab.ts'

/** What goes through a machine's network, as its kernel counts it: nothing that a daemon says. */

export interface Counts {
  /** TCP connections that it tried to begin: SYNs, without those that the kernel repeats. */
  readonly dials: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Bytes that came in packets larger than any message but a model needs. */
  readonly bulkBytesIn: number
}

/**
 * The kernel passes whole bursts of a stream as one packet. Handshakes, addresses and gossip are
 * smaller than this; the pieces that models travel in are 64 KiB, so that nearly all of one counts.
 */
const bulkPacketBytesMin = 10_000

/** Linux gives a connection up after six repetitions of its SYN, two minutes after the first. */
const repeatsSecondsMax = 130

const counters = ['dials', 'bytesIn', 'bytesOut', 'bulkBytesIn'] as const

/** Begin to count in a namespace, from zero. */
export function countTraffic(where: Namespace): void {
  where.nft(`
table inet counts {
${counters.map((name) => `  counter ${name} { }`).join('\n')}
  set begun {
    typeof tcp sport . tcp dport . tcp sequence
    flags dynamic,timeout
    timeout ${repeatsSecondsMax}s
    size 65535
  }
  chain out {
    type filter hook output priority 300;
    oifname "lo" return
    tcp flags & (syn | ack) == syn tcp sport . tcp dport . tcp sequence != @begun counter name dials
    tcp flags & (syn | ack) == syn add @begun { tcp sport . tcp dport . tcp sequence }
    counter name bytesOut
  }
  chain in {
    type filter hook input priority -300;
    iifname "lo" return
    counter name bytesIn
    meta length > ${bulkPacketBytesMin} counter name bulkBytesIn
  }
}`)
}

export function traffic(where: Namespace): Counts {
  const { nftables } = JSON.parse(where.run('nft', '-j', 'list', 'counters')) as {
    readonly nftables: readonly {
      readonly counter?: { readonly name: string; readonly packets: number; readonly bytes: number }
    }[]
  }
  const found = new Map(nftables.map(({ counter }) => [counter?.name, counter]))
  return {
    dials: found.get('dials')?.packets ?? 0,
    bytesIn: found.get('bytesIn')?.bytes ?? 0,
    bytesOut: found.get('bytesOut')?.bytes ?? 0,
    bulkBytesIn: found.get('bulkBytesIn')?.bytes ?? 0
  }
}

/** What happened between two counts. */
export function since(before: Counts, now: Counts): Counts {
  return {
    dials: now.dials - before.dials,
    bytesIn: now.bytesIn - before.bytesIn,
    bytesOut: now.bytesOut - before.bytesOut,
    bulkBytesIn: now.bulkBytesIn - before.bulkBytesIn
  }
}

/** Watches how fast bytes come in, at the interface of a process's namespace. */
export class Speedometer {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  readonly #samples: { readonly ms: number; readonly bytes: number }[] = []
  #best = 0

  /** @param pid - of a process that lives in the namespace */
  constructor(pid: number) {
    this.#pid = pid
    this.#timer = setInterval(() => this.#sample(), sampleMs)
  }

  /** The most that came in within any `windowMs`, in 10⁶ bytes a second; 0 if there was nothing. */
  get megabytesPerSecond(): number {
    return this.#best / 1_000
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    const bytes = bytesReceived(this.#pid)
    if (bytes === undefined) return
    const now = { ms: performance.now(), bytes }
    this.#samples.push(now)
    const isNeeded = ({ ms }: { ms: number }): boolean => now.ms - ms <= windowMs
    const first = this.#samples.findIndex(isNeeded)
    // The newest sample that is at least a window old.
    this.#samples.splice(0, Math.max(0, first - 1))
    const [oldest] = this.#samples
    if (oldest === undefined || now.ms - oldest.ms < windowMs) return
    this.#best = Math.max(this.#best, (now.bytes - oldest.bytes) / (now.ms - oldest.ms))
  }
}

const sampleMs = 10
/** Long against the time between samples, short against that of a model. */
const windowMs = 50

/** Undefined when the process has ended. */
function bytesReceived(pid: number): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/net/dev`, 'latin1').split(/\n\s*eth0:\s*/)[1]
    return line === undefined ? undefined : Number(line.split(/\s+/)[0])
  } catch {
    return undefined
  }
}
