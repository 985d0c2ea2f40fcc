namespace JobHost.Benchmarks.Measuring;

/// <summary>Something whose time is taken.</summary>
/// <param name="Name">Its row in the table.</param>
/// <param name="ArmAsync">
/// Prepares one measurement, untimed. What it returns is timed, and completes with a look that nothing was promised in vain,
/// which is not timed, or with null.
/// </param>
internal sealed record Contender(string Name, Func<CancellationToken, Task<Func<Task<Func<Task>?>>>> ArmAsync)
{
    /// <summary>One that needs no preparation, and shows by itself that it has done what it promised.</summary>
    internal static Contender Of(string name, Func<CancellationToken, Task> act) =>
        new(
            name,
            cancellationToken =>
                Task.FromResult<Func<Task<Func<Task>?>>>(async () =>
                {
                    await act(cancellationToken);
                    return null;
                })
        );
}
