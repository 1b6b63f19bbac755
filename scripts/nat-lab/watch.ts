import { setTimeout as pause } from 'node:timers/promises'
import { ControlClient } from '../../peer/control-client.ts'
import { homeAt } from '../../peer/home.ts'

/**
 * Runs beside a daemon, in its namespace, as its control API can only be reached from there: tells
 * in lines of JSON what it says and what happens to it.
 *
 *     node watch.ts HOME EVERY_MS
 */

const [, , path = '', everyMs = '200'] = process.argv
const home = homeAt(path)

for (;;) {
  try {
    const client = await ControlClient.open(home)
    const gone = new AbortController()
    await Promise.race([look(client), listen(client, gone.signal)]).finally(() => gone.abort())
  } catch {
    await pause(100) // not there yet, or not any more
  }
}

async function look(client: ControlClient): Promise<never> {
  for (;;) {
    tell({ status: await client.status(), peers: await client.peers() })
    await pause(Number(everyMs))
  }
}

async function listen(client: ControlClient, signal: AbortSignal): Promise<void> {
  for await (const event of client.events(signal)) tell({ event })
}

function tell(what: object): void {
  process.stdout.write(
    JSON.stringify({ atMs: performance.timeOrigin + performance.now(), ...what }) + '\n'
  )
}
