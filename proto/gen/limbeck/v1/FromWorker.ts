// Original file: limbeck.proto

import type { Hello as _limbeck_v1_Hello, Hello__Output as _limbeck_v1_Hello__Output } from '../../limbeck/v1/Hello.ts';
import type { Heartbeat as _limbeck_v1_Heartbeat, Heartbeat__Output as _limbeck_v1_Heartbeat__Output } from '../../limbeck/v1/Heartbeat.ts';
import type { Prepared as _limbeck_v1_Prepared, Prepared__Output as _limbeck_v1_Prepared__Output } from '../../limbeck/v1/Prepared.ts';
import type { Ready as _limbeck_v1_Ready, Ready__Output as _limbeck_v1_Ready__Output } from '../../limbeck/v1/Ready.ts';
import type { Progress as _limbeck_v1_Progress, Progress__Output as _limbeck_v1_Progress__Output } from '../../limbeck/v1/Progress.ts';
import type { Evaluated as _limbeck_v1_Evaluated, Evaluated__Output as _limbeck_v1_Evaluated__Output } from '../../limbeck/v1/Evaluated.ts';
import type { StageDone as _limbeck_v1_StageDone, StageDone__Output as _limbeck_v1_StageDone__Output } from '../../limbeck/v1/StageDone.ts';
import type { Exported as _limbeck_v1_Exported, Exported__Output as _limbeck_v1_Exported__Output } from '../../limbeck/v1/Exported.ts';
import type { Checkpointed as _limbeck_v1_Checkpointed, Checkpointed__Output as _limbeck_v1_Checkpointed__Output } from '../../limbeck/v1/Checkpointed.ts';
import type { Failed as _limbeck_v1_Failed, Failed__Output as _limbeck_v1_Failed__Output } from '../../limbeck/v1/Failed.ts';
import type { Leaving as _limbeck_v1_Leaving, Leaving__Output as _limbeck_v1_Leaving__Output } from '../../limbeck/v1/Leaving.ts';
import type { CaughtUp as _limbeck_v1_CaughtUp, CaughtUp__Output as _limbeck_v1_CaughtUp__Output } from '../../limbeck/v1/CaughtUp.ts';
import type { Digest as _limbeck_v1_Digest, Digest__Output as _limbeck_v1_Digest__Output } from '../../limbeck/v1/Digest.ts';
import type { Skipped as _limbeck_v1_Skipped, Skipped__Output as _limbeck_v1_Skipped__Output } from '../../limbeck/v1/Skipped.ts';
import type { Suspect as _limbeck_v1_Suspect, Suspect__Output as _limbeck_v1_Suspect__Output } from '../../limbeck/v1/Suspect.ts';
import type { Corrupted as _limbeck_v1_Corrupted, Corrupted__Output as _limbeck_v1_Corrupted__Output } from '../../limbeck/v1/Corrupted.ts';
import type { Warned as _limbeck_v1_Warned, Warned__Output as _limbeck_v1_Warned__Output } from '../../limbeck/v1/Warned.ts';
import type { Long } from '@grpc/proto-loader';

export interface FromWorker {
  'term'?: (number | string | Long);
  'hello'?: (_limbeck_v1_Hello | null);
  'heartbeat'?: (_limbeck_v1_Heartbeat | null);
  'prepared'?: (_limbeck_v1_Prepared | null);
  'ready'?: (_limbeck_v1_Ready | null);
  'progress'?: (_limbeck_v1_Progress | null);
  'evaluated'?: (_limbeck_v1_Evaluated | null);
  'stageDone'?: (_limbeck_v1_StageDone | null);
  'exported'?: (_limbeck_v1_Exported | null);
  'checkpointed'?: (_limbeck_v1_Checkpointed | null);
  'failed'?: (_limbeck_v1_Failed | null);
  'leaving'?: (_limbeck_v1_Leaving | null);
  'caughtUp'?: (_limbeck_v1_CaughtUp | null);
  'digest'?: (_limbeck_v1_Digest | null);
  'skipped'?: (_limbeck_v1_Skipped | null);
  'suspect'?: (_limbeck_v1_Suspect | null);
  'corrupted'?: (_limbeck_v1_Corrupted | null);
  'warned'?: (_limbeck_v1_Warned | null);
  'body'?: "hello"|"heartbeat"|"prepared"|"ready"|"progress"|"evaluated"|"stageDone"|"exported"|"checkpointed"|"failed"|"leaving"|"caughtUp"|"digest"|"skipped"|"suspect"|"corrupted"|"warned";
}

export interface FromWorker__Output {
  'term': (number);
  'hello'?: (_limbeck_v1_Hello__Output | null);
  'heartbeat'?: (_limbeck_v1_Heartbeat__Output | null);
  'prepared'?: (_limbeck_v1_Prepared__Output | null);
  'ready'?: (_limbeck_v1_Ready__Output | null);
  'progress'?: (_limbeck_v1_Progress__Output | null);
  'evaluated'?: (_limbeck_v1_Evaluated__Output | null);
  'stageDone'?: (_limbeck_v1_StageDone__Output | null);
  'exported'?: (_limbeck_v1_Exported__Output | null);
  'checkpointed'?: (_limbeck_v1_Checkpointed__Output | null);
  'failed'?: (_limbeck_v1_Failed__Output | null);
  'leaving'?: (_limbeck_v1_Leaving__Output | null);
  'caughtUp'?: (_limbeck_v1_CaughtUp__Output | null);
  'digest'?: (_limbeck_v1_Digest__Output | null);
  'skipped'?: (_limbeck_v1_Skipped__Output | null);
  'suspect'?: (_limbeck_v1_Suspect__Output | null);
  'corrupted'?: (_limbeck_v1_Corrupted__Output | null);
  'warned'?: (_limbeck_v1_Warned__Output | null);
  'body'?: "hello"|"heartbeat"|"prepared"|"ready"|"progress"|"evaluated"|"stageDone"|"exported"|"checkpointed"|"failed"|"leaving"|"caughtUp"|"digest"|"skipped"|"suspect"|"corrupted"|"warned";
}
