// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Artifact {
  'path'?: (string);
  'bytes'?: (number | string | Long);
}

export interface Artifact__Output {
  'path': (string);
  'bytes': (number);
}
