// Original file: limbeck.proto

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
}
