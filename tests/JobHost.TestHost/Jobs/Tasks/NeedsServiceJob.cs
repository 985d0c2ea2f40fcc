namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>Takes scoped services: within a run all see the same scope, and no two runs share one.</summary>
internal sealed class NeedsServiceJob(ScopeMark mark, ScopeWitness witness) : IJob<NoParameters>
{
    public Task<object?> RunAsync(NoParameters parameters, JobContext context, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(new { Scope = mark.Id, SeenByWitness = witness.Seen.Id });
}

/// <summary>Tells one scope from another.</summary>
internal sealed class ScopeMark
{
    internal Guid Id { get; } = Guid.NewGuid();
}

/// <summary>Another service of the scope, which must have been given the same mark.</summary>
internal sealed class ScopeWitness(ScopeMark seen)
{
    internal ScopeMark Seen => seen;
}
