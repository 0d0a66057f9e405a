/** The environment a worker process needs before TensorFlow's library loads. */
import { homedir } from "node:os";
import { join } from "node:path";

/** Where engines, compiled GPU kernels and soft targets are kept between runs. */
export function cacheFolder(): string {
  const { LIMBECK_CACHE, XDG_CACHE_HOME } = process.env;
  return LIMBECK_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "limbeck");
}

/** Where engines are set up. An image has them in a folder of its own: it cannot be written, and a cache is mounted elsewhere. */
export function enginesFolder(): string {
  return process.env["LIMBECK_ENGINES"] ?? join(cacheFolder(), "engine");
}

/** Where soft targets are kept that a job says no other folder for. */
export function softTargetFolder(): string {
  return join(cacheFolder(), "softtargets");
}

/**
 * Read by glibc when a process starts, so whoever spawns a worker sets it. With the defaults every read-back of a
 * large tensor maps fresh pages and faults them in: 12.5 ms for 5 MB instead of 1.4 ms. Huge pages halve what is left of
 * that: a joiner, which fills more new memory than anyone, takes a state twice as fast (bench transfer).
 */
export function processEnvironment(): Record<string, string> {
  return {
    GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
    MALLOC_MMAP_THRESHOLD_: String(4 * 2 ** 30),
    MALLOC_TRIM_THRESHOLD_: String(8 * 2 ** 30),
    MALLOC_TOP_PAD_: String(64 * 2 ** 20),
  };
}

/** Read by TensorFlow when its library loads: set in the main thread before the compute thread starts. */
export function engineEnvironment(threads: number): Record<string, string> {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: "1",
    TF_CPP_MIN_LOG_LEVEL: "2",
    TF_FORCE_GPU_ALLOW_GROWTH: "true",
    // GPUs newer than the wheel compile their kernels at first use: kept, and large enough for all of them.
    CUDA_CACHE_PATH: join(cacheFolder(), "cuda"),
    CUDA_CACHE_MAXSIZE: String(4 * 2 ** 30),
  };
}
