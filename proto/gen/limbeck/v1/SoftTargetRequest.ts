// Original file: limbeck.proto

import type { SoftTargetKey as _limbeck_v1_SoftTargetKey, SoftTargetKey__Output as _limbeck_v1_SoftTargetKey__Output } from '../../limbeck/v1/SoftTargetKey.ts';
import type { Long } from '@grpc/proto-loader';

export interface SoftTargetRequest {
  'term'?: (number | string | Long);
  'request'?: (number | string | Long);
  'key'?: (_limbeck_v1_SoftTargetKey | null);
  'format'?: (string);
  'spareMs'?: (number);
  'cancel'?: (boolean);
  'inputs'?: (Buffer | Uint8Array | string);
  'inputsChecksum'?: (number);
}

export interface SoftTargetRequest__Output {
  'term': (number);
  'request': (number);
  'key': (_limbeck_v1_SoftTargetKey__Output | null);
  'format': (string);
  'spareMs': (number);
  'cancel': (boolean);
  'inputs': (Buffer);
  'inputsChecksum': (number);
}
