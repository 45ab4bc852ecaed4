/**
 * The tutorial's client class on Countersign's uploader. The calls are the same; what the tutorial did by hand
 * (cache the signature per path until it expires, make the key, put the file last, throw the application's message)
 * is the uploader's.
 */

import { UploadError, Uploader } from 'countersign-uploader';

type UploaderOptions = ConstructorParameters<typeof Uploader>[0];
type UploadOptions = NonNullable<Parameters<Uploader['upload']>[2]>;

export class UploadService {
  private readonly uploader: Uploader;

  /** `basePath` is where the application answers `/signature`; the rest may stay as it is. */
  constructor(basePath: string, options: Omit<UploaderOptions, 'url'> = {}) {
    this.uploader = new Uploader({ ...options, url: `${basePath}/signature` });
  }

  /**
   * Sends a file to the store, and returns its key after the application has confirmed it.
   *
   * Throws the application's message when its `Status` is not OK. A file that is stored and was not confirmed is
   * an error of its own (`isStoredButNotConfirmed`): it is no reason to upload again.
   */
  upload = async (
    file: File,
    path: string,
    observe?: UploadOptions['observe'],
    signal?: AbortSignal,
  ): Promise<string> => {
    // Whatever the key is made of: what is there already stays.
    const fields = { 'x-oss-forbid-overwrite': 'true' };
    const { key } = await this.uploader.upload(file, path, { observe, signal, fields });
    return key;
  };
}

/** Whether the store has the file and only the application's word is missing. */
export function isStoredButNotConfirmed(error: unknown): error is UploadError {
  return error instanceof UploadError && error.outcome === 'stored-not-confirmed';
}
