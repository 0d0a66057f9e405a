// Original file: limbeck.proto

import type { Welcome as _limbeck_v1_Welcome, Welcome__Output as _limbeck_v1_Welcome__Output } from '../../limbeck/v1/Welcome.ts';
import type { Assign as _limbeck_v1_Assign, Assign__Output as _limbeck_v1_Assign__Output } from '../../limbeck/v1/Assign.ts';
import type { Begin as _limbeck_v1_Begin, Begin__Output as _limbeck_v1_Begin__Output } from '../../limbeck/v1/Begin.ts';
import type { Export as _limbeck_v1_Export, Export__Output as _limbeck_v1_Export__Output } from '../../limbeck/v1/Export.ts';
import type { StopWorker as _limbeck_v1_StopWorker, StopWorker__Output as _limbeck_v1_StopWorker__Output } from '../../limbeck/v1/StopWorker.ts';
import type { Follow as _limbeck_v1_Follow, Follow__Output as _limbeck_v1_Follow__Output } from '../../limbeck/v1/Follow.ts';
import type { Pause as _limbeck_v1_Pause, Pause__Output as _limbeck_v1_Pause__Output } from '../../limbeck/v1/Pause.ts';
import type { SaveCheckpoint as _limbeck_v1_SaveCheckpoint, SaveCheckpoint__Output as _limbeck_v1_SaveCheckpoint__Output } from '../../limbeck/v1/SaveCheckpoint.ts';
import type { Staff as _limbeck_v1_Staff, Staff__Output as _limbeck_v1_Staff__Output } from '../../limbeck/v1/Staff.ts';
import type { Idle as _limbeck_v1_Idle, Idle__Output as _limbeck_v1_Idle__Output } from '../../limbeck/v1/Idle.ts';
import type { Long } from '@grpc/proto-loader';

export interface ToWorker {
  'term'?: (number | string | Long);
  'welcome'?: (_limbeck_v1_Welcome | null);
  'assign'?: (_limbeck_v1_Assign | null);
  'begin'?: (_limbeck_v1_Begin | null);
  'export'?: (_limbeck_v1_Export | null);
  'stop'?: (_limbeck_v1_StopWorker | null);
  'follow'?: (_limbeck_v1_Follow | null);
  'pause'?: (_limbeck_v1_Pause | null);
  'checkpoint'?: (_limbeck_v1_SaveCheckpoint | null);
  'teachers'?: (_limbeck_v1_Staff | null);
  'idle'?: (_limbeck_v1_Idle | null);
  'fence'?: (number | string | Long);
  'body'?: "welcome"|"assign"|"begin"|"export"|"stop"|"follow"|"pause"|"checkpoint"|"teachers"|"idle";
}

export interface ToWorker__Output {
  'term': (number);
  'welcome'?: (_limbeck_v1_Welcome__Output | null);
  'assign'?: (_limbeck_v1_Assign__Output | null);
  'begin'?: (_limbeck_v1_Begin__Output | null);
  'export'?: (_limbeck_v1_Export__Output | null);
  'stop'?: (_limbeck_v1_StopWorker__Output | null);
  'follow'?: (_limbeck_v1_Follow__Output | null);
  'pause'?: (_limbeck_v1_Pause__Output | null);
  'checkpoint'?: (_limbeck_v1_SaveCheckpoint__Output | null);
  'teachers'?: (_limbeck_v1_Staff__Output | null);
  'idle'?: (_limbeck_v1_Idle__Output | null);
  'fence': (number);
  'body'?: "welcome"|"assign"|"begin"|"export"|"stop"|"follow"|"pause"|"checkpoint"|"teachers"|"idle";
}
