import { readFileSync } from 'node:fs'

/** TCP connections as the kernel lists them (proc(5), /proc/net/tcp), in a process's namespace. */

export interface TcpSocket {
  readonly localPort: number
  readonly remoteHost: string
  readonly remotePort: number
}

export interface TcpSockets {
  readonly listening: ReadonlySet<number>
  readonly established: readonly TcpSocket[]
}

const states = { established: '01', listening: '0A' } as const

/** Nothing is listed when the process has ended. */
export function tcpSockets(pid: number): TcpSockets {
  const rows = ['tcp', 'tcp6'].flatMap((file) => rowsOf(`/proc/${pid}/net/${file}`))
  return {
    listening: new Set(
      rows.filter(({ state }) => state === states.listening).map(({ local }) => local.port)
    ),
    established: rows
      .filter(({ state }) => state === states.established)
      .map(({ local, remote }) => ({
        localPort: local.port,
        remoteHost: remote.host,
        remotePort: remote.port
      }))
  }
}

interface Row {
  readonly local: { readonly host: string; readonly port: number }
  readonly remote: { readonly host: string; readonly port: number }
  readonly state: string
}

function rowsOf(path: string): Row[] {
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch {
    return []
  }
  const lines = text.trim().split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/)
    if (local === undefined || remote === undefined || state === undefined) return []
    return [{ local: endpoint(local), remote: endpoint(remote), state }]
  })
}

/** Words of four bytes in the machine's order (here: little-endian), then the port. */
export function endpoint(text: string): { host: string; port: number } {
  const [hex = '', port = '0'] = text.split(':')
  const words = hex.match(/.{8}/g) ?? []
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex').reverse()])
  return { host: bytes.length === 4 ? bytes.join('.') : ip6(bytes), port: parseInt(port, 16) }
}

function ip6(bytes: readonly number[]): string {
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff
  if (isMapped) return bytes.slice(12).join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16)
  )
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1) // the shortest way to write it
}
