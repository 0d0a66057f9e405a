// Original file: limbeck.proto

import type { SourceFile as _limbeck_v1_SourceFile, SourceFile__Output as _limbeck_v1_SourceFile__Output } from '../../limbeck/v1/SourceFile.ts';

export interface Welcome {
  'job'?: (string);
  'jobFolder'?: (string);
  'runFolder'?: (string);
  'heartbeatMs'?: (number);
  'role'?: (string);
  'rejoined'?: (boolean);
  'jobId'?: (string);
  'depot'?: (string);
  'sources'?: (_limbeck_v1_SourceFile)[];
  'depotFolder'?: (string);
  'again'?: (boolean);
}

export interface Welcome__Output {
  'job': (string);
  'jobFolder': (string);
  'runFolder': (string);
  'heartbeatMs': (number);
  'role': (string);
  'rejoined': (boolean);
  'jobId': (string);
  'depot': (string);
  'sources': (_limbeck_v1_SourceFile__Output)[];
  'depotFolder': (string);
  'again': (boolean);
}
