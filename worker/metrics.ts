/**
 * A worker's metrics, as core/metrics/worker.ts defines them. What a step costs is observed when it is done, what reports
 * sum up is added with the report, and what the services count is read from them at every scrape.
 */

import type { Interceptor, ServerInterceptor } from "@grpc/grpc-js";
import type { Registry } from "prom-client";
import type { LimbeckErrorCode } from "../core/errors.ts";
import { type CanaryResult, stepPhases, workerMetrics } from "../core/metrics/worker.ts";
import { phases } from "../core/phases.ts";
import { exposition } from "../proto/telemetry/exposition.ts";
import { clientMetrics, serverMetrics } from "../proto/telemetry/grpcmetrics.ts";
import type { Page } from "../proto/telemetry/http.ts";
import { processRegistry } from "../proto/telemetry/processmetrics.ts";
import { type MetricsOf, register } from "../proto/telemetry/registry.ts";
import { coordinatorService, peerService, teacherService } from "../proto/wire.ts";
import type { EngineInfo } from "./engine/engine.ts";
import type { Gpu } from "./gpus.ts";
import type { Services } from "./services.ts";
import type { CacheCounts } from "./softtargets/cached.ts";
import type { SoftTargetCounts } from "./softtargets/counts.ts";
import type { Standing } from "./softtargets/source.ts";
import type { PhaseSeconds, StepSums } from "./stepreport.ts";

/** Of one that asks no teachers. */
export const noneAsked = (): Standing => ({ awaited: 0, stranded: 0, breakers: { closed: 0, half_open: 0, open: 0 } });

export class WorkerMetrics {
  /** What all calls of this worker go through. */
  readonly interceptors: readonly Interceptor[];
  readonly serverInterceptors: readonly ServerInterceptor[];
  readonly #registry: Registry = processRegistry();
  readonly #families: MetricsOf<typeof workerMetrics> = register(this.#registry, workerMetrics);
  readonly #phases = phases.map((name) => ({
    name,
    series: this.#families.phases.labels({ phase: stepPhases[name] }),
  }));
  /** Of the teachers of the term; nothing while none are asked. */
  standing: () => Standing = noneAsked;

  constructor() {
    this.interceptors = [clientMetrics(this.#registry, [coordinatorService, teacherService, peerService])];
    this.serverInterceptors = [serverMetrics(this.#registry, [teacherService, peerService])];
  }

  /** @param services what is read at every scrape */
  page(services: Pick<Services, "peers" | "softTargets">): (accept: string) => Promise<Page> {
    return exposition(this.#registry, () => this.#refresh(services));
  }

  prepared(worker: string, { backend, device }: Pick<EngineInfo, "backend" | "device">): void {
    this.#families.engine.set({ worker, backend, device }, 1);
  }

  /** A step is done. */
  stepped(phases: PhaseSeconds): void {
    for (const { name, series } of this.#phases) series.observe(phases[name]);
  }

  /** What a report sums up. @param students of the term @param gradientBytes of a gradient vector */
  reported(
    { steps, examples, phases }: StepSums,
    { students, gradientBytes }: { readonly students: number; readonly gradientBytes: number },
  ): void {
    this.#families.steps.inc(steps);
    this.#families.samples.inc(examples);
    if (students < 2 || phases.exchange === 0) return;
    const travelled = ((2 * (students - 1)) / students) * gradientBytes * steps;
    this.#families.busBandwidth.set(travelled / phases.exchange);
  }

  /** What a report counts of soft targets. @param classes of a row of logits */
  supplied(counts: SoftTargetCounts & CacheCounts, classes: number): void {
    const { softTargets, receivedBytes, sentInputBytes, hedges, retries, formatError, cacheLookups, cacheBytes } =
      this.#families;
    softTargets.inc(counts.softTargets);
    receivedBytes.inc(counts.softTargetBytes);
    sentInputBytes.inc(counts.softTargetInputBytes);
    hedges.inc(counts.hedged);
    retries.inc(counts.askedAgain);
    cacheLookups.inc({ result: "hit" }, counts.softTargetsCached);
    cacheLookups.inc({ result: "miss" }, counts.cacheMisses);
    cacheBytes.inc({ direction: "read" }, 4 * classes * counts.softTargetsCached);
    cacheBytes.inc({ direction: "written" }, counts.cacheKeptBytes);
    const { examples, sum } = counts.payloadError;
    if (examples > 0) formatError.set(sum / examples);
  }

  /** A teacher's answer to this student. */
  readonly answered = (code: LimbeckErrorCode | "ok", seconds: number): void => {
    this.#families.requests.inc({ code });
    if (code === "ok") this.#families.latency.observe(seconds);
  };

  /** @param drift of what numerics allow; null where there is no answer to compare */
  readonly canary = (result: CanaryResult, drift: number | null): void => {
    this.#families.canaries.inc({ result });
    if (drift !== null) this.#families.canaryDrift.set(drift);
  };

  /** This teacher's answer to a student. @param code empty where all went well */
  readonly served = (code: string, seconds: number): void => {
    this.#families.served.inc({ code: code === "" ? "ok" : (code as LimbeckErrorCode) });
    this.#families.servingSeconds.observe(seconds);
  };

  /** A forward pass of this teacher begins. */
  readonly passed = (examples: number): void => this.#families.passExamples.observe(examples);

  /** @param holdingUp does what a checkpoint holds training up with */
  async checkpointing<T>(holdingUp: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    try {
      return await holdingUp();
    } finally {
      this.#families.phases.observe({ phase: "checkpoint" }, (performance.now() - startedMs) / 1_000);
    }
  }

  /** @param saving is done when the checkpoint is on disk */
  async saving<T>(saving: Promise<T>): Promise<T> {
    const startedMs = performance.now();
    try {
      const saved = await saving;
      this.#families.checkpoint.observe((performance.now() - startedMs) / 1_000);
      return saved;
    } catch (thrown) {
      this.#families.checkpointFailures.inc();
      throw thrown;
    }
  }

  /** As nvidia-smi last said; none where it says nothing any more. */
  gpus(found: readonly Gpu[]): void {
    const { gpuUtilisation, gpuMemoryUsed, gpuMemoryTotal } = this.#families;
    for (const each of [gpuUtilisation, gpuMemoryUsed, gpuMemoryTotal]) each.reset();
    for (const { gpu, utilisation, usedBytes, totalBytes } of found) {
      if (utilisation !== null) gpuUtilisation.set({ gpu }, utilisation);
      if (usedBytes !== null) gpuMemoryUsed.set({ gpu }, usedBytes);
      if (totalBytes !== null) gpuMemoryTotal.set({ gpu }, totalBytes);
    }
  }

  #refresh({ peers, softTargets }: Pick<Services, "peers" | "softTargets">): void {
    const families = this.#families;
    const { examples, bytes, waiting, waitingExamples, busySeconds } = softTargets.counts;
    advance(families.servedExamples, examples);
    advance(families.servedBytes, bytes);
    advance(families.busy, busySeconds);
    families.queue.set(waiting);
    families.queueExamples.set(waitingExamples);
    const { sharedBytes, networkBytes, again, damaged } = peers.client.counts;
    families.exchanged.reset();
    families.exchanged.inc({ path: "shared_memory" }, sharedBytes);
    families.exchanged.inc({ path: "network" }, networkBytes);
    advance(families.exchangeRetries, again);
    advance(families.checksumFailures, damaged);
    const { awaited, stranded, breakers } = this.standing();
    families.awaited.set(awaited);
    families.stranded.set(stranded);
    for (const state of ["closed", "half_open", "open"] as const) families.breakers.set({ state }, breakers[state]);
  }
}

/** To a count that others keep. */
function advance(counter: { reset(): void; inc(by: number): void }, count: number): void {
  counter.reset();
  counter.inc(count);
}
