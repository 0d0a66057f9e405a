// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchEvent {
  'event'?: (string);
  'after'?: (number | string | Long);
}

export interface WatchEvent__Output {
  'event': (string);
  'after': (number);
}
