using System.Text.Json;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>What can be seen of a run's insides, and done to its processes short of stopping it.</summary>
internal static class ProcessesApi
{
    internal static void MapProcesses(this IEndpointRouteBuilder routes)
    {
        var runs = routes
            .MapGroup("/api/v1/runs/{id}")
            .WithTag(
                "Processes",
                "What can be seen of the insides of a run, and done to its processes short of stopping it."
            );
        runs.MapPost("/signal", SignalAsync)
            .WithName("SignalRun")
            .WithSummary("Sends a signal to every process of a run.")
            .WithDescription(
                "The worker of a command withstands it, so that it is the command's. A frozen process gets it when it is thawed."
            )
            .WithExample("""{ "signal": "SIGUSR1" }""")
            .Refuses(
                ProblemTypes.UnknownRun,
                ProblemTypes.RunAlreadyEnded,
                ProblemTypes.NotSupportedForKind,
                ProblemTypes.NoProcess,
                ProblemTypes.NotPossibleHere,
                ProblemTypes.InvalidParameters
            )
            .Needs(Role.Killer);
        runs.MapPost("/freeze", FreezeAsync)
            .WithName("FreezeRun")
            .WithSummary("Keeps every process of a run from running, without ending it.")
            .WithDescription(
                "It ends with `/thaw`, by itself after `ttlSeconds`, and with any request to stop, which a frozen run could not "
                    + "hear. Its timeouts go on. A kill reaches it frozen."
            )
            .WithExample("""{ "ttlSeconds": 60 }""")
            .Refuses(
                ProblemTypes.UnknownRun,
                ProblemTypes.RunAlreadyEnded,
                ProblemTypes.NotSupportedForKind,
                ProblemTypes.NoProcess,
                ProblemTypes.NotPossibleHere,
                ProblemTypes.InvalidParameters
            )
            .Needs(Role.Killer);
        runs.MapPost("/thaw", ThawAsync)
            .WithName("ThawRun")
            .WithSummary("Lets a frozen run go on.")
            .Refuses(
                ProblemTypes.UnknownRun,
                ProblemTypes.RunAlreadyEnded,
                ProblemTypes.NotSupportedForKind,
                ProblemTypes.NoProcess,
                ProblemTypes.NotPossibleHere
            )
            .Needs(Role.Killer);
        runs.MapGet("/stack", StackAsync)
            .WithName("GetStack")
            .WithSummary("Shows where a run is now: its processes, its managed threads.")
            .WithDescription(
                "Managed threads of a .NET process are read from outside, and it stands still meanwhile, some tenth of a "
                    + "second: for a run inside the host that is the host. Where they cannot be read, `why` says why."
            )
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.RunAlreadyEnded, ProblemTypes.NoProcess)
            .Needs(Role.Operator);
        runs.MapGet("/autopsy", AutopsyAsync)
            .WithName("GetAutopsy")
            .WithSummary("Shows where a run was before it was forced, where its job keeps that.")
            .Refuses(ProblemTypes.UnknownRun, ProblemTypes.NoAutopsy);
    }

    private static async Task<Results<Ok<RunContract>, ProblemHttpResult>> SignalAsync(
        string id,
        SignalBody body,
        JobRegistry registry,
        HttpContext context
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        return BodyReading.Signal(body.Signal, errors) is not { } signal
            ? Problems.InvalidParameters(errors)
            : Answer(
                id,
                await ActAsync(id, run => registry.SignalAsync(run, StopsApi.Caller(context), signal)),
                context
            );
    }

    private static async Task<Results<Ok<RunContract>, ProblemHttpResult>> FreezeAsync(
        string id,
        FreezeBody? body,
        JobRegistry registry,
        HttpContext context
    )
    {
        var errors = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var bound = BodyReading.Seconds(body?.TtlSeconds, "ttlSeconds", errors, above: true);
        if (bound > JobRegistry.MaxFreeze || errors.Count > 0)
        {
            errors["ttlSeconds"] = [$"The value is above 0 to {JobRegistry.MaxFreeze.TotalSeconds:0} seconds."];
            return Problems.InvalidParameters(errors);
        }
        return Answer(
            id,
            await ActAsync(id, run => registry.FreezeAsync(run, StopsApi.Caller(context), bound)),
            context
        );
    }

    private static async Task<Results<Ok<RunContract>, ProblemHttpResult>> ThawAsync(
        string id,
        JobRegistry registry,
        HttpContext context
    ) => Answer(id, await ActAsync(id, run => registry.ThawAsync(run, StopsApi.Caller(context))), context);

    private static async Task<Results<Ok<StackContract>, ProblemHttpResult>> StackAsync(
        string id,
        JobRegistry registry,
        HttpContext context
    )
    {
        var result = RunId.TryParse(id, out var run) ? await registry.StackAsync(run) : new StackResult.NotFound();
        return result switch
        {
            StackResult.Taken { View: var view } => TypedResults.Ok(StackContract.Of(view)),
            StackResult.AlreadyEnded { Run: var ended } => Problems.RunAlreadyEnded(RunContract.Of(ended, context)),
            StackResult.NotExecuting { Run: var waiting } => Problems.NoProcess(RunContract.Of(waiting, context)),
            _ => Problems.UnknownRun(id),
        };
    }

    private static async Task<Results<Ok<StackContract>, ProblemHttpResult>> AutopsyAsync(
        string id,
        JobRegistry registry
    )
    {
        if (await RunsApi.FindAsync(id, registry) is not { } run)
        {
            return Problems.UnknownRun(id);
        }
        return await registry.FindAutopsyAsync(run.Id) is { } view
            ? TypedResults.Ok(StackContract.Of(view))
            : Problems.NoAutopsy();
    }

    private static async Task<ProcessesResult> ActAsync(string id, Func<RunId, Task<ProcessesResult>> act) =>
        RunId.TryParse(id, out var run) ? await act(run) : new ProcessesResult.NotFound();

    private static Results<Ok<RunContract>, ProblemHttpResult> Answer(
        string id,
        ProcessesResult result,
        HttpContext context
    ) =>
        result switch
        {
            ProcessesResult.Done { Run: var run } => TypedResults.Ok(RunContract.Of(run, context)),
            ProcessesResult.AlreadyEnded { Run: var run } => Problems.RunAlreadyEnded(RunContract.Of(run, context)),
            ProcessesResult.NotSupported { Run: var run } => Problems.NotSupportedForKind(
                RunContract.Of(run, context),
                JsonNamingPolicy.CamelCase.ConvertName(run.Kind.ToString())
            ),
            ProcessesResult.NoProcess { Run: var run } => Problems.NoProcess(RunContract.Of(run, context)),
            ProcessesResult.NotPossible { Why: var why } => Problems.NotPossibleHere(why),
            _ => Problems.UnknownRun(id),
        };
}
