// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface CaughtUp {
  'stage'?: (string);
  'step'?: (number | string | Long);
  'holds'?: (string)[];
  'uncacheable'?: (string);
}

export interface CaughtUp__Output {
  'stage': (string);
  'step': (number);
  'holds': (string)[];
  'uncacheable': (string);
}
