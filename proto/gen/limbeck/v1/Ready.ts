// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Ready {
  'parameters'?: (number | string | Long);
  'weightsSha256'?: (string);
  'step'?: (number | string | Long);
  'hasSum'?: (boolean);
  'holds'?: (string)[];
  'restoredFrom'?: (string);
  'skipped'?: (string)[];
  'uncacheable'?: (string);
}

export interface Ready__Output {
  'parameters': (number);
  'weightsSha256': (string);
  'step': (number);
  'hasSum': (boolean);
  'holds': (string)[];
  'restoredFrom': (string);
  'skipped': (string)[];
  'uncacheable': (string);
}
