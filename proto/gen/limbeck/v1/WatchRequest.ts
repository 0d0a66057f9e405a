// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchRequest {
  'from'?: (number | string | Long);
  'decisions'?: (boolean);
  'soFar'?: (boolean);
  'job'?: (string);
}

export interface WatchRequest__Output {
  'from': (number);
  'decisions': (boolean);
  'soFar': (boolean);
  'job': (string);
}
