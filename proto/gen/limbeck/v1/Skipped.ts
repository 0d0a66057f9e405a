// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Skipped {
  'stage'?: (string);
  'step'?: (number | string | Long);
  'lane'?: (number);
  'examples'?: (Buffer | Uint8Array | string);
  'why'?: (string);
}

export interface Skipped__Output {
  'stage': (string);
  'step': (number);
  'lane': (number);
  'examples': (Buffer);
  'why': (string);
}
