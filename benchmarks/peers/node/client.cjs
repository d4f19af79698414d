// Enqueues and takes times, as queues/client.py does: node client.cjs enqueue|pickup COUNT [IDLE IDLE]
"use strict";
const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { Queue } = require("bullmq");
const { QUEUE, connection, optionsOf, validate } = require("./shared.cjs");

const WARM_UP = 10;
const LOOK_MS = 5;
const JOB_MS = 60_000;

const queue = new Queue(QUEUE, { connection });
const template = JSON.parse(process.env.BENCH_PAYLOAD);
const payloadOf = (number) => ({ ...template, jobId: `job-${number}` });

async function enqueue(payload) {
  if (!validate(payload)) throw new Error("validation-failed");
  await queue.add("preview", payload, optionsOf(payload));
}

async function enqueueRate(count) {
  const jobs = Array.from({ length: count }, (_, number) => payloadOf(number));
  for (const job of jobs.slice(0, WARM_UP)) await enqueue(job);
  const began = process.hrtime.bigint();
  for (const job of jobs.slice(WARM_UP)) await enqueue(job);
  return (count - WARM_UP) / (Number(process.hrtime.bigint() - began) / 1e9);
}

async function nextLine(file, position) {
  const buffer = Buffer.alloc(256);
  for (let waited = 0; waited < JOB_MS; waited += LOOK_MS) {
    const read = fs.readSync(file, buffer, 0, 256, position);
    if (read) return buffer.toString("utf8", 0, read);
    await sleep(LOOK_MS);
  }
  throw new Error(`a job was not run within ${JOB_MS} ms`);
}

async function pickups(count, least, most) {
  const waits = [];
  const file = fs.openSync(process.env.BENCH_STAMPS, "r");
  let position = 0;
  for (let number = 0; number < WARM_UP + count; number++) {
    const job = payloadOf(number);
    await sleep(1000 * (least + (most - least) * Math.random()));
    const began = process.hrtime.bigint();
    await enqueue(job);
    const line = await nextLine(file, position);
    position += line.length;
    const [name, started] = line.trim().split(" ");
    if (name !== job.jobId) throw new Error(`${job.jobId} was sent and ${name} was run`);
    waits.push(Number(BigInt(started) - began) / 1e6);
  }
  return waits.slice(WARM_UP);
}

(async () => {
  const part = process.argv[2];
  const [count, ...idle] = process.argv.slice(3).map(Number);
  await queue.waitUntilReady();
  const result = part === "enqueue" ? await enqueueRate(count) : await pickups(count, ...idle);
  console.log(JSON.stringify(result));
  await queue.close();
})();
