// Original file: limbeck.proto

import type { Metrics as _limbeck_v1_Metrics, Metrics__Output as _limbeck_v1_Metrics__Output } from '../../limbeck/v1/Metrics.ts';
import type { PhaseSeconds as _limbeck_v1_PhaseSeconds, PhaseSeconds__Output as _limbeck_v1_PhaseSeconds__Output } from '../../limbeck/v1/PhaseSeconds.ts';
import type { PayloadError as _limbeck_v1_PayloadError, PayloadError__Output as _limbeck_v1_PayloadError__Output } from '../../limbeck/v1/PayloadError.ts';
import type { Consumed as _limbeck_v1_Consumed, Consumed__Output as _limbeck_v1_Consumed__Output } from '../../limbeck/v1/Consumed.ts';
import type { Long } from '@grpc/proto-loader';

export interface Progress {
  'stage'?: (string);
  'step'?: (number | string | Long);
  'examples'?: (number | string | Long);
  'steps'?: (number | string | Long);
  'seconds'?: (number | string);
  'metrics'?: (_limbeck_v1_Metrics | null);
  'phases'?: (_limbeck_v1_PhaseSeconds | null);
  'learningRate'?: (number | string);
  'softTargets'?: (number | string | Long);
  'softTargetBytes'?: (number | string | Long);
  'payloadError'?: (_limbeck_v1_PayloadError | null);
  'hedged'?: (number | string | Long);
  'askedAgain'?: (number | string | Long);
  'softTargetsCached'?: (number | string | Long);
  'softTargetInputBytes'?: (number | string | Long);
  'gradientNorm'?: (number | string);
  'consumed'?: (_limbeck_v1_Consumed | null);
}

export interface Progress__Output {
  'stage': (string);
  'step': (number);
  'examples': (number);
  'steps': (number);
  'seconds': (number);
  'metrics': (_limbeck_v1_Metrics__Output | null);
  'phases': (_limbeck_v1_PhaseSeconds__Output | null);
  'learningRate': (number);
  'softTargets': (number);
  'softTargetBytes': (number);
  'payloadError': (_limbeck_v1_PayloadError__Output | null);
  'hedged': (number);
  'askedAgain': (number);
  'softTargetsCached': (number);
  'softTargetInputBytes': (number);
  'gradientNorm': (number);
  'consumed': (_limbeck_v1_Consumed__Output | null);
}
