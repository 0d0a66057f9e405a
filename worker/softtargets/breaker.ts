/**
 * A circuit breaker: who failed is not asked for a while, longer each time; then a single request shows whether it is well
 * again (Nygard, "Release It!", 2007).
 */
import { type BackoffPolicy, backoffMs } from "../../core/backoff.ts";

export type BreakerState = "closed" | "half_open" | "open";

export class CircuitBreaker {
  readonly #policy: BackoffPolicy;
  readonly #random: () => number;
  #failures = 0;
  #openUntilMs = 0;
  #isTried = false;

  constructor(policy: BackoffPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  get openUntilMs(): number {
    return this.#openUntilMs;
  }

  /** Half open: the next request shows, or one is on its way to show, whether it is well again. */
  state(nowMs: number): BreakerState {
    if (this.#failures === 0) return "closed";
    return nowMs >= this.#openUntilMs ? "half_open" : "open";
  }

  /** Whether a request may be sent now. */
  allows(nowMs: number): boolean {
    if (this.#failures === 0) return true;
    return nowMs >= this.#openUntilMs && !this.#isTried;
  }

  /** A request is sent: where the breaker is half open, it is the one that shows. */
  sent(): void {
    this.#isTried = this.#failures > 0;
  }

  /** Nobody waits for the request any more. */
  abandoned(): void {
    this.#isTried = false;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#isTried = false;
  }

  failed(nowMs: number): void {
    this.#openUntilMs = nowMs + backoffMs(this.#policy, this.#failures, this.#random());
    this.#failures += 1;
    this.#isTried = false;
  }
}
