namespace JobHost;

/// <summary>An asynchronous job. One instance is made per run, from the run's own dependency injection scope.</summary>
/// <typeparam name="TParameters">A record or class read from the run's JSON parameters; <see cref="NoParameters"/> for none.</typeparam>
public interface IJob<in TParameters>
{
    /// <summary>Runs the job. Runs as kind <c>task</c> by default, or as <c>process</c> in a worker.</summary>
    /// <param name="parameters">The validated parameters.</param>
    /// <param name="context">The run: identity, log, progress, stop notice.</param>
    /// <param name="cancellationToken">Triggered when somebody asks the run to stop; the reason stands in <see cref="JobContext.Stop"/>.</param>
    /// <returns>The result, any value that serialises to JSON, or null.</returns>
    Task<object?> RunAsync(TParameters parameters, JobContext context, CancellationToken cancellationToken);
}

/// <summary>A blocking job. Runs on a named thread of its own (kind <c>thread</c>), or as <c>process</c> in a worker.</summary>
/// <inheritdoc cref="IJob{TParameters}" path="/typeparam"/>
public interface IThreadJob<in TParameters>
{
    /// <inheritdoc cref="IJob{TParameters}.RunAsync" path="/param"/>
    /// <inheritdoc cref="IJob{TParameters}.RunAsync" path="/returns"/>
    /// <summary>Runs the job to its end on the calling thread.</summary>
    object? Run(TParameters parameters, JobContext context, CancellationToken cancellationToken);
}

/// <summary>
/// A job made of steps. Thousands share a few threads (kind <c>step</c>), and every <c>yield return</c> is a place where the
/// run can be stopped without the job's help: the enumerator is disposed there, so its <c>finally</c> blocks run.
/// </summary>
/// <inheritdoc cref="IJob{TParameters}" path="/typeparam"/>
public interface IStepJob<in TParameters>
{
    /// <inheritdoc cref="IJob{TParameters}.RunAsync" path="/param"/>
    /// <summary>Yields the steps of the run.</summary>
    IAsyncEnumerable<Step> RunAsync(TParameters parameters, JobContext context, CancellationToken cancellationToken);
}

/// <summary>The parameters of a job that takes none: only an empty object is accepted.</summary>
public sealed record NoParameters;
