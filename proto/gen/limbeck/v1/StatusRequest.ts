// Original file: limbeck.proto


export interface StatusRequest {
}

export interface StatusRequest__Output {
}
