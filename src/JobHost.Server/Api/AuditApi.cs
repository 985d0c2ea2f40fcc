using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using JobHost.Control;
using JobHost.Runs;
using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.OpenApi;
using JobHost.Server.Security;
using JobHost.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace JobHost.Server.Api;

/// <summary>Who did what to what.</summary>
internal static class AuditApi
{
    internal static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/api/v1/audit", ListAsync)
            .WithTag("Audit", "Who did what to what, when, why, from where.")
            .WithName("ListAudit")
            .WithSummary(
                "Lists every change that was asked for, the newest first: who, when, what, why, from where, and the answer."
            )
            .WithDescription(
                "`run`: of one run; `by`: of one key. `jobhost audit verify` checks that nothing was altered."
            )
            .Refuses(ProblemTypes.InvalidPageToken)
            .Needs(Role.Admin);

    private static async Task<Results<Ok<PageContract<AuditContract>>, ProblemHttpResult>> ListAsync(
        JobRegistry registry,
        [Description("Only what was asked of this run.")] Guid? run,
        [Description("Only what the key of this name asked for.")] string? by,
        [Range(1, Paging.MaxSize), Description(Paging.SizeWords)] int? pageSize,
        [Description(Paging.TokenWords)] string? pageToken
    )
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (pageSize is < 1 or > Paging.MaxSize)
        {
            errors["pageSize"] = [$"The page size is 1 to {Paging.MaxSize}."];
        }
        if (errors.Count > 0)
        {
            return Problems.MalformedRequest("A parameter is not valid; the errors name it.", errors);
        }
        long before = 0;
        if (
            pageToken is not null
            && !long.TryParse(pageToken, NumberStyles.None, CultureInfo.InvariantCulture, out before)
        )
        {
            return Problems.InvalidPageToken();
        }
        var query = new AuditQuery
        {
            Before = pageToken is null ? null : before,
            Run = run is { } id ? new RunId(id) : null,
            By = by,
            Limit = pageSize ?? Paging.DefaultSize,
        };
        var entries = await registry.AuditAsync(query);
        return TypedResults.Ok(
            new PageContract<AuditContract>(
                [.. entries.Select(AuditContract.Of)],
                entries.Count == query.Limit ? entries[^1].Sequence.ToString(CultureInfo.InvariantCulture) : null
            )
        );
    }
}
