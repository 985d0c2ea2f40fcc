using JobHost.Control;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Server.Api;
using JobHost.Storage;

namespace JobHost.Server.Security;

/// <summary>
/// Records every change that was asked for, whatever came of it, before the answer leaves. Who shows no key at all is in the
/// service's log only: anybody could fill the audit otherwise.
/// </summary>
internal sealed class Audit(RequestDelegate next, JobRegistry registry, TimeProvider time, ILogger<Audit> logger)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var isChange =
            !HttpMethods.IsGet(request.Method)
            && !HttpMethods.IsHead(request.Method)
            && !HttpMethods.IsOptions(request.Method);
        var action = context.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName;
        if (isChange && action is not null)
        {
            var note = new AuditNote(action) { IsLook = request.Query["validateOnly"] == "true" };
            context.Features.Set(note);
            context.Response.OnStarting(() => RecordAsync(context, action, note));
        }
        return next(context);
    }

    private async Task RecordAsync(HttpContext context, string action, AuditNote note)
    {
        if (note.Link is not null || note.EntryOf(context, context.Response.StatusCode, time) is not { } entry)
        {
            return;
        }
        try
        {
            note.Link = await registry.AppendAuditAsync(entry);
        }
        catch (StoreUnavailableException problem)
        {
            logger.NotAudited(action, entry.By, entry.Status, problem);
        }
    }
}

/// <summary>What only the handler of a request knows.</summary>
/// <param name="action">The operation.</param>
internal sealed class AuditNote(string action)
{
    private const int MaxReason = 1000;

    /// <summary>Whether the request changes nothing.</summary>
    internal bool IsLook { get; set; }

    /// <summary>The run that it made.</summary>
    internal RunId? Run { get; set; }

    /// <summary>The job that it is about, where the path does not say it.</summary>
    internal string? Job { get; private set; }

    internal string? Reason { get; private set; }

    /// <summary>
    /// The place of the entry in the chain, once it is recorded. In the service's log, and so in a second place, it tells whether
    /// the audit was cut off there.
    /// </summary>
    internal AuditLink? Link { get; set; }

    internal static AuditNote? Of(HttpContext context) => context.Features.Get<AuditNote>();

    /// <summary>The entry for a request that is answered so; null where there is to be none.</summary>
    internal AuditEntry? EntryOf(HttpContext context, int status, TimeProvider time)
    {
        if (IsLook || context.User.Identity?.IsAuthenticated != true)
        {
            return null;
        }
        var caller = Caller.Of(context);
        var values = context.Request.RouteValues;
        var id = values["id"] as string;
        var isNode = context.Request.Path.StartsWithSegments("/api/v1/nodes", StringComparison.Ordinal);
        var isSchedule = SchedulesApi.IsScheduleOf(context);
        return new()
        {
            At = time.GetUtcNow(),
            By = caller.Name,
            Role = caller.Role.ToString(),
            From = caller.Address,
            Action = action,
            Job = values["job"] as string ?? Job,
            RunId = Run ?? (!isNode && !isSchedule && RunId.TryParse(id, out var run) ? run : null),
            Node = isNode ? id : null,
            Schedule = isSchedule ? id : null,
            Reason = Reason,
            Status = status,
        };
    }

    /// <summary>Notes why a change is asked for, and returns it as it may be recorded: without secrets.</summary>
    internal static string? Because(HttpContext context, string? reason)
    {
        var shown = context.RequestServices.GetRequiredService<Secrets>().Hide(reason);
        if (Of(context) is { } note)
        {
            note.Reason = shown?.Length > MaxReason ? shown[..MaxReason] : shown;
        }
        return shown;
    }

    /// <summary>Notes the job that a change is about.</summary>
    internal static void About(HttpContext context, string job)
    {
        if (Of(context) is { } note)
        {
            note.Job = job.Length > MaxReason ? job[..MaxReason] : job;
        }
    }

    /// <summary>Notes the run that was made.</summary>
    internal static void Made(HttpContext context, RunId run)
    {
        if (Of(context) is { } note)
        {
            note.Run = run;
        }
    }

    /// <summary>Notes that the request changes nothing, or does.</summary>
    internal static void Changes(HttpContext context, bool changes)
    {
        if (Of(context) is { } note)
        {
            note.IsLook = !changes;
        }
    }
}

internal static partial class AuditLog
{
    [LoggerMessage(
        421,
        LogLevel.Error,
        "{Action} by {By}, answered {Status}, could not be recorded in the audit: the store does not take writes."
    )]
    internal static partial void NotAudited(
        this ILogger logger,
        string action,
        string by,
        int status,
        Exception problem
    );
}
