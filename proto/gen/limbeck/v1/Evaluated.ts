// Original file: limbeck.proto

import type { EvaluatedChunk as _limbeck_v1_EvaluatedChunk, EvaluatedChunk__Output as _limbeck_v1_EvaluatedChunk__Output } from '../../limbeck/v1/EvaluatedChunk.ts';
import type { Long } from '@grpc/proto-loader';

export interface Evaluated {
  'stage'?: (string);
  'step'?: (number | string | Long);
  'last'?: (boolean);
  'chunks'?: (number);
  'results'?: (_limbeck_v1_EvaluatedChunk)[];
}

export interface Evaluated__Output {
  'stage': (string);
  'step': (number);
  'last': (boolean);
  'chunks': (number);
  'results': (_limbeck_v1_EvaluatedChunk__Output)[];
}
