// Original file: limbeck.proto

import type { Consumed as _limbeck_v1_Consumed, Consumed__Output as _limbeck_v1_Consumed__Output } from '../../limbeck/v1/Consumed.ts';
import type { Long } from '@grpc/proto-loader';

export interface StageDone {
  'stage'?: (string);
  'step'?: (number | string | Long);
  'weightsSha256'?: (string);
  'consumed'?: (_limbeck_v1_Consumed | null);
}

export interface StageDone__Output {
  'stage': (string);
  'step': (number);
  'weightsSha256': (string);
  'consumed': (_limbeck_v1_Consumed__Output | null);
}
