// Original file: limbeck.proto

import type { ExportedModel as _limbeck_v1_ExportedModel, ExportedModel__Output as _limbeck_v1_ExportedModel__Output } from '../../limbeck/v1/ExportedModel.ts';

export interface Exported {
  'stage'?: (string);
  'models'?: (_limbeck_v1_ExportedModel)[];
}

export interface Exported__Output {
  'stage': (string);
  'models': (_limbeck_v1_ExportedModel__Output)[];
}
