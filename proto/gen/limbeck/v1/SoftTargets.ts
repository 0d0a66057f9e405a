// Original file: limbeck.proto

import type { PayloadError as _limbeck_v1_PayloadError, PayloadError__Output as _limbeck_v1_PayloadError__Output } from '../../limbeck/v1/PayloadError.ts';
import type { Long } from '@grpc/proto-loader';

export interface SoftTargets {
  'term'?: (number | string | Long);
  'request'?: (number | string | Long);
  'teacher'?: (string);
  'dataset'?: (string);
  'view'?: (number | string | Long);
  'examplesCrc32'?: (number);
  'format'?: (string);
  'logits'?: (Buffer | Uint8Array | string);
  'logitsCrc32'?: (number);
  'errorCode'?: (string);
  'error'?: (string);
  'payloadError'?: (_limbeck_v1_PayloadError | null);
  'inputsChecksum'?: (number);
}

export interface SoftTargets__Output {
  'term': (number);
  'request': (number);
  'teacher': (string);
  'dataset': (string);
  'view': (number);
  'examplesCrc32': (number);
  'format': (string);
  'logits': (Buffer);
  'logitsCrc32': (number);
  'errorCode': (string);
  'error': (string);
  'payloadError': (_limbeck_v1_PayloadError__Output | null);
  'inputsChecksum': (number);
}
