// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface Checkpointed {
  'stage'?: (string);
  'step'?: (number | string | Long);
  'folder'?: (string);
  'bytes'?: (number | string | Long);
}

export interface Checkpointed__Output {
  'stage': (string);
  'step': (number);
  'folder': (string);
  'bytes': (number);
}
