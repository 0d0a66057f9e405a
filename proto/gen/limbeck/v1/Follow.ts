// Original file: limbeck.proto

import type { Member as _limbeck_v1_Member, Member__Output as _limbeck_v1_Member__Output } from '../../limbeck/v1/Member.ts';
import type { DatasetInfo as _limbeck_v1_DatasetInfo, DatasetInfo__Output as _limbeck_v1_DatasetInfo__Output } from '../../limbeck/v1/DatasetInfo.ts';
import type { Long } from '@grpc/proto-loader';

export interface Follow {
  'stage'?: (string);
  'steps'?: (number | string | Long);
  'source'?: (_limbeck_v1_Member | null);
  'teacherSha256'?: (string);
  'teacherSources'?: (_limbeck_v1_Member)[];
  'part'?: (number);
  'dataset'?: (_limbeck_v1_DatasetInfo | null);
}

export interface Follow__Output {
  'stage': (string);
  'steps': (number);
  'source': (_limbeck_v1_Member__Output | null);
  'teacherSha256': (string);
  'teacherSources': (_limbeck_v1_Member__Output)[];
  'part': (number);
  'dataset': (_limbeck_v1_DatasetInfo__Output | null);
}
