// Original file: kserve.proto


export interface ServerReadyRequest {
}

export interface ServerReadyRequest__Output {
}
