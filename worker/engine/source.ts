/** Where TensorFlow can come from. */

export interface InstallOptions {
  log(line: string): void;
  /** Ends an installation; what there is of it is removed. */
  readonly signal?: AbortSignal;
  /** Also what failed before and is remembered: "again" after something was installed or reconnected. */
  readonly failed?: "again";
}

/** An empty folder to install into. It is renamed afterwards, so what is in it finds the rest by relative paths. */
export interface Setup extends InstallOptions {
  readonly folder: string;
}

/** Paths are relative to the folder. */
export interface SourceInstall {
  readonly addon: string;
  /** What must be there, and whole, for the addon to load. */
  readonly files: readonly string[];
  readonly version: string;
  readonly cuda: boolean;
  readonly why: string;
  /** What it was made from, where that is wheels. */
  readonly wheels?: readonly Wheel[];
}

export interface Wheel {
  /** Its name tells package, version and platform. */
  readonly file: string;
  readonly sha256: string;
}

export type SourceName = "wheel" | "prebuilt";

export interface Source {
  readonly name: SourceName;
  readonly version: string;
  install(setup: Setup): Promise<SourceInstall>;
}
