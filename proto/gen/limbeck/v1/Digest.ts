// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Digest {
  'stage'?: (string);
  'step'?: (number | string | Long);
  'weightsSha256'?: (string);
}

export interface Digest__Output {
  'stage': (string);
  'step': (number);
  'weightsSha256': (string);
}
