using JobHost.Server.Contracts;
using JobHost.Server.Http;
using JobHost.Server.Security;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;

namespace JobHost.Server.OpenApi;

/// <summary>What a request can be answered with before it reaches its handler, or when the service fails.</summary>
internal static class GeneralRefusals
{
    private static readonly string[] Safe = ["GET", "HEAD", "OPTIONS"];

    /// <summary>Adds to every operation of the group the problems that its kind of operation has, and declares the status of each.</summary>
    internal static RouteGroupBuilder WithGeneralRefusals(this RouteGroupBuilder group)
    {
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
        {
            var types = Of(endpoint)
                .Concat(endpoint.Metadata.OfType<Declarations.Refusals>().SelectMany(declared => declared.Types))
                .Distinct()
                .OrderBy(type => type.Status)
                .ThenBy(type => type.Slug, StringComparer.Ordinal)
                .ToList();
            endpoint.Metadata.Add(new AllRefusals(types));
            foreach (var status in types.Select(type => type.Status).Distinct())
            {
                endpoint.Metadata.Add(
                    new ProducesResponseTypeMetadata(status, typeof(ProblemContract), ["application/problem+json"])
                );
            }
        });
        return group;
    }

    private static IEnumerable<ProblemType> Of(EndpointBuilder endpoint)
    {
        yield return ProblemTypes.MalformedRequest;
        yield return ProblemTypes.UnknownHost;
        yield return ProblemTypes.InternalError;
        if (endpoint.Metadata.OfType<IAuthorizeData>().Any())
        {
            yield return ProblemTypes.Unauthenticated;
            yield return ProblemTypes.TooManyRequests;
            if (RoleOf(endpoint.Metadata) > Role.Viewer)
            {
                yield return ProblemTypes.Forbidden;
            }
        }
        if (endpoint.Metadata.OfType<IHttpMethodMetadata>().All(methods => !methods.HttpMethods.Except(Safe).Any()))
        {
            yield break;
        }
        yield return ProblemTypes.ForeignOrigin;
        yield return ProblemTypes.StoreUnavailable;
        yield return ProblemTypes.UnsupportedMediaType;
        if (endpoint.Metadata.OfType<IAcceptsMetadata>().Any())
        {
            yield return ProblemTypes.BodyTooLarge;
        }
        if (EntityTags.AreConditions(((RouteEndpointBuilder)endpoint).RoutePattern))
        {
            yield return ProblemTypes.PreconditionFailed;
        }
    }

    /// <summary>The role that an operation needs; null where it needs no key.</summary>
    internal static Role? RoleOf(IEnumerable<object> metadata) =>
        metadata
            .OfType<IAuthorizeData>()
            .Select(needed => Enum.TryParse<Role>(needed.Policy, out var role) ? role : (Role?)null)
            .Max();

    /// <summary>All problems that an operation can answer with.</summary>
    internal sealed record AllRefusals(IReadOnlyList<ProblemType> Types);
}
