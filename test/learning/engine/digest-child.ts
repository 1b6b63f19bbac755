import { isMainThread, parentPort } from 'node:worker_threads'
import { trainedDigest } from './digest.ts'

/** Trains in another process or thread, perhaps with other settings of V8, and says what came out. */
const digest = await trainedDigest()
if (isMainThread) console.log(digest)
else parentPort?.postMessage(digest)
