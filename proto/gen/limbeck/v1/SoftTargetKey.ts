// Original file: limbeck.proto

import type { Long } from '@grpc/proto-loader';

export interface SoftTargetKey {
  'teacher'?: (string);
  'dataset'?: (string);
  'examples'?: (Buffer | Uint8Array | string);
  'view'?: (number | string | Long);
}

export interface SoftTargetKey__Output {
  'teacher': (string);
  'dataset': (string);
  'examples': (Buffer);
  'view': (number);
}
