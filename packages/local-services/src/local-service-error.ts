/** A server could not be found, downloaded or started. The message is shown to the developer who starts PuffTrack. */
export class LocalServiceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalServiceError';
  }
}

/** Another running server holds the data directory, so its database is running too. */
export class DataDirInUseError extends LocalServiceError {}
