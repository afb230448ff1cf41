#!/usr/bin/env bash
# Makes what people need to query the warehouse as themselves and CloudFormation has no resources for:
# the trusted token issuer, the application with its authentication method, grants and access scope,
# Redshift's side of Identity Center, and the assignments. What is there already is left as it is; a
# second run changes nothing. Needs bash and the AWS CLI (1 or 2). docs/WAREHOUSE.md leads through it.
set -euo pipefail

usage() {
  cat <<'HELP'
identity-center-setup.sh --issuer URL --audience CLIENT_ID --groups GROUP,GROUP [options]
identity-center-setup.sh --check ...    look only; every fault is named, and the exit status is 1

  --issuer URL            OidcIssuer of the stack, exactly as in the tokens' iss   TRIBUTARY_ISSUER
  --audience CLIENT_ID    OidcClientId of the stack: the audience of ID tokens     TRIBUTARY_AUDIENCE
  --groups LIST           groups of the directory that may query, with commas      TRIBUTARY_GROUPS
  --stack NAME            the stack's name (tributary)                             TRIBUTARY_STACK
  --region REGION         Identity Center's Region (AWS_REGION)                    TRIBUTARY_IDENTITY_CENTER_REGION
  --warehouse-region R    the warehouse's Region (AWS_REGION)                      TRIBUTARY_WAREHOUSE_REGION
  --claim PATH            claim that finds the person (email)                      TRIBUTARY_CLAIM
  --attribute PATH        what it is compared with: emails.value, userName or
                          externalIds.id (emails.value)                            TRIBUTARY_ATTRIBUTE
  --person ADDRESS        with --check: somebody whom the directory must know      TRIBUTARY_PERSON
  --help

The signer needs the rights of Identity Center's administrator, and redshift:*RedshiftIdcApplication*
with iam:PassRole on the connection role. Names are made from the stack's: application and issuer have
its name, Redshift's application is <stack>-warehouse; the roles are those of the template.
On standard output stand lines NAME=value with the parameters of the template; everything else is told
on standard error.
HELP
}

issuer="${TRIBUTARY_ISSUER:-}"
audience="${TRIBUTARY_AUDIENCE:-}"
groups="${TRIBUTARY_GROUPS:-}"
stack="${TRIBUTARY_STACK:-tributary}"
home="${AWS_REGION:-${AWS_DEFAULT_REGION:-}}"
region="${TRIBUTARY_IDENTITY_CENTER_REGION:-$home}"
warehouse_region="${TRIBUTARY_WAREHOUSE_REGION:-$home}"
claim="${TRIBUTARY_CLAIM:-email}"
attribute="${TRIBUTARY_ATTRIBUTE:-emails.value}"
person="${TRIBUTARY_PERSON:-}"
mode=make

die() {
  printf 'identity-center-setup: %s\n' "$*" >&2
  exit 2
}

while [ "$#" -gt 0 ]; do
  case "$1" in
    --check) mode=check; shift; continue ;;
    --help) usage; exit 0 ;;
  esac
  [ "$#" -ge 2 ] || die "$1 needs a value, see --help"
  case "$1" in
    --issuer) issuer="$2" ;;
    --audience) audience="$2" ;;
    --groups) groups="$2" ;;
    --stack) stack="$2" ;;
    --region) region="$2" ;;
    --warehouse-region) warehouse_region="$2" ;;
    --claim) claim="$2" ;;
    --attribute) attribute="$2" ;;
    --person) person="$2" ;;
    *) die "unknown option $1, see --help" ;;
  esac
  shift 2
done

# Values go into JSON and into queries of the CLI, so they must be what they are supposed to be.
fits() { [[ "$2" =~ ^$3$ ]] || die "$1 is missing or not of the form $3"; }
fits --issuer "$issuer" 'https?://[A-Za-z0-9._~:/-]+[A-Za-z0-9_~-]'
fits --audience "$audience" '[A-Za-z0-9._:/-]+'
fits --groups "$groups" '[A-Za-z0-9._@+-]+(,[A-Za-z0-9._@+-]+)*'
fits --stack "$stack" '[a-z][a-z0-9-]*[a-z0-9]'
fits --region "$region" '[a-z0-9-]+'
fits --warehouse-region "$warehouse_region" '[a-z0-9-]+'
fits --claim "$claim" '[A-Za-z]+([._][A-Za-z]+){0,2}'
fits --attribute "$attribute" '(userName|emails\.value|externalIds\.id)'
fits --person "$person" '([A-Za-z0-9._@+-]+)?'
IFS=, read -r -a group_names <<<"$groups"

jwt_bearer=urn:ietf:params:oauth:grant-type:jwt-bearer
custom=arn:aws:sso::aws:applicationProvider/custom
redshift_name="$stack-warehouse"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
pending=0
faults=0

export AWS_PAGER=""
sso() { aws --region "$region" sso-admin "$@"; }
directory() { aws --region "$region" identitystore "$@" --identity-store-id "$store"; }
redshift() { aws --region "$warehouse_region" redshift "$@"; }

made() { printf 'made   %s\n' "$*" >&2; }
kept() { printf 'there  %s\n' "$*" >&2; }
wait_for_stack() {
  printf 'LATER  %s\n' "$*" >&2
  pending=1
}
good() { printf 'ok     %s\n' "$*" >&2; }
fault() {
  printf 'FAULT  %s\n' "$*" >&2
  faults=$((faults + 1))
}
# expect <what> <is> <should be>
expect() {
  if [ "$2" = "$3" ]; then good "$1"; else fault "$1: is '${2:-nothing}', should be '$3'"; fi
}

# What a call answers, nothing if the thing is not there; any other refusal ends the script.
look() {
  local said
  if said="$("$@" 2>"$scratch/refusal")"; then
    [ "$said" = None ] || printf '%s' "$said"
  elif ! grep -q 'ResourceNotFoundException' "$scratch/refusal"; then
    cat "$scratch/refusal" >&2
    return 1
  fi
}

# ---- what is there ------------------------------------------------------------------------------------

account="$(aws --region "$region" sts get-caller-identity --query Account --output text)"
queries_role="arn:aws:iam::$account:role/tributary/$stack-queries"
connection_role="arn:aws:iam::$account:role/tributary/$stack-warehouse-connection"

read_instance() {
  local found
  found="$(look sso list-instances --query 'Instances[].[InstanceArn,IdentityStoreId,PrimaryRegion]' --output text)"
  [ -n "$found" ] || die "there is no instance of Identity Center in $region; is that its Region, and is the signer in its account?"
  [ "$(wc -l <<<"$found")" -eq 1 ] || die "there is more than one instance in $region"
  read -r instance store primary <<<"$found"
}

read_issuer() {
  issuer_arn="$(look sso list-trusted-token-issuers --instance-arn "$instance" \
    --query "TrustedTokenIssuers[?Name=='$stack'].TrustedTokenIssuerArn" --output text)"
}

read_application() {
  application="$(look sso list-applications --instance-arn "$instance" \
    --filter "ApplicationProvider=$custom" --query "Applications[?Name=='$stack'].ApplicationArn" --output text)"
  [[ "$application" != *[[:space:]]* ]] || die "there is more than one application named $stack: delete those that nothing uses"
}

read_redshift() {
  local found
  found="$(look redshift describe-redshift-idc-applications \
    --query "RedshiftIdcApplications[?RedshiftIdcApplicationName=='$redshift_name'].[RedshiftIdcApplicationArn,IdcManagedApplicationArn]" \
    --output text)"
  read -r redshift_arn managed <<<"$found" || true
}

# The ids of the groups, in their order; empty for a group that is not there.
group_ids=()
read_groups() {
  local group
  for group in "${group_names[@]}"; do
    group_ids+=("$(look directory get-group-id --query GroupId --output text --alternate-identifier \
      "{\"UniqueAttribute\":{\"AttributePath\":\"displayName\",\"AttributeValue\":\"$group\"}}")")
  done
}

assigned_groups() {
  look sso list-application-assignments --application-arn "$1" \
    --query "ApplicationAssignments[?PrincipalType=='GROUP'].PrincipalId" --output text
}

# Address, claim and attribute.
read_issuer_settings() {
  local found
  found="$(look sso describe-trusted-token-issuer --trusted-token-issuer-arn "$issuer_arn" --output text \
    --query "TrustedTokenIssuerConfiguration.OidcJwtConfiguration.[IssuerUrl,ClaimAttributePath,IdentityStoreAttributePath]")"
  read -r issuer_url issuer_claim issuer_attribute <<<"$found"
}

actor_policy() {
  look sso get-application-authentication-method --application-arn "$application" \
    --authentication-method-type IAM --query AuthenticationMethod.Iam.ActorPolicy --output json
}

granted_audiences() {
  look sso get-application-grant --application-arn "$application" --grant-type "$jwt_bearer" --output text \
    --query "Grant.JwtBearer.AuthorizedTokenIssuers[?TrustedTokenIssuerArn=='$issuer_arn'].AuthorizedAudiences[]"
}

# The grant has no members, so its name is what can be seen of it.
refresh_grant() {
  look sso list-application-grants --application-arn "$application" \
    --query "Grants[?GrantType=='refresh_token'].GrantType" --output text
}

scope_targets() {
  look sso get-application-access-scope --application-arn "$application" --scope redshift:connect \
    --query AuthorizedTargets --output text
}

# has <list> <item>
has() { tr '[:space:]' '\n' <<<"$1" | grep -qxF -- "$2"; }

# ---- making it ----------------------------------------------------------------------------------------

make_issuer() {
  read_issuer
  if [ -n "$issuer_arn" ]; then
    read_issuer_settings
    [ "$issuer_url" = "$issuer" ] || die "the trusted token issuer $stack is for $issuer_url: its address cannot be changed, delete it first"
    kept "trusted token issuer $issuer_arn"
    return
  fi
  issuer_arn="$(sso create-trusted-token-issuer --instance-arn "$instance" --name "$stack" \
    --trusted-token-issuer-type OIDC_JWT --query TrustedTokenIssuerArn --output text \
    --trusted-token-issuer-configuration "{\"OidcJwtConfiguration\":{\"IssuerUrl\":\"$issuer\",\"ClaimAttributePath\":\"$claim\",\"IdentityStoreAttributePath\":\"$attribute\",\"JwksRetrievalOption\":\"OPEN_ID_DISCOVERY\"}}")"
  made "trusted token issuer $issuer_arn"
}

make_application() {
  read_application
  if [ -n "$application" ]; then
    kept "application $application"
    return
  fi
  application="$(sso create-application --instance-arn "$instance" --application-provider-arn "$custom" \
    --name "$stack" --description "Tributary: people query the warehouse as themselves" \
    --query ApplicationArn --output text)"
  made "application $application"
}

# Only the function that exchanges tokens may use the application.
make_actor_policy() {
  local policy
  policy="$(actor_policy)"
  if [[ "$policy" == *"\"$queries_role\""* ]]; then
    kept "authentication method for $queries_role"
    return
  fi
  if sso put-application-authentication-method --application-arn "$application" --authentication-method-type IAM \
    --authentication-method "{\"Iam\":{\"ActorPolicy\":{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"OnlyTheQueriesFunction\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"$queries_role\"},\"Action\":\"sso-oauth:CreateTokenWithIAM\",\"Resource\":\"$application\"}]}}}" \
    2>"$scratch/refusal"; then
    made "authentication method for $queries_role"
  elif grep -qi 'actor policy' "$scratch/refusal"; then
    wait_for_stack "authentication method: there is no role $queries_role yet"
  else
    cat "$scratch/refusal" >&2
    exit 1
  fi
}

make_grants() {
  local audiences
  audiences="$(granted_audiences)"
  if [ "$audiences" = "$audience" ]; then
    kept "grant $jwt_bearer"
  else
    sso put-application-grant --application-arn "$application" --grant-type "$jwt_bearer" \
      --grant "{\"JwtBearer\":{\"AuthorizedTokenIssuers\":[{\"TrustedTokenIssuerArn\":\"$issuer_arn\",\"AuthorizedAudiences\":[\"$audience\"]}]}}"
    made "grant $jwt_bearer for the audience $audience"
  fi
  if [ -n "$(refresh_grant)" ]; then
    kept "grant refresh_token"
  else
    sso put-application-grant --application-arn "$application" --grant-type refresh_token --grant '{"RefreshToken":{}}'
    made "grant refresh_token"
  fi
}

make_redshift() {
  read_redshift
  if [ -n "${managed:-}" ]; then
    kept "Redshift's application $redshift_arn"
    return
  fi
  if redshift create-redshift-idc-application --idc-instance-arn "$instance" \
    --redshift-idc-application-name "$redshift_name" --idc-display-name "$redshift_name" \
    --identity-namespace AWSIDC --iam-role-arn "$connection_role" \
    --service-integrations '[{"Redshift":[{"Connect":{"Authorization":"Enabled"}}]}]' \
    --query RedshiftIdcApplication.RedshiftIdcApplicationArn --output text >/dev/null 2>"$scratch/refusal"; then
    read_redshift
    made "Redshift's application $redshift_arn"
  elif grep -q 'DependentServiceAccessDenied' "$scratch/refusal"; then
    wait_for_stack "Redshift's application: the role $connection_role is not there yet, or not as the template has it"
  else
    cat "$scratch/refusal" >&2
    exit 1
  fi
}

make_scope() {
  if has "$(scope_targets)" "$managed"; then
    kept "access scope redshift:connect"
    return
  fi
  sso put-application-access-scope --application-arn "$application" --scope redshift:connect --authorized-targets "$managed"
  made "access scope redshift:connect"
}

# make_assignments <what> <application>
make_assignments() {
  local assigned group id at
  assigned="$(assigned_groups "$2")"
  for at in "${!group_names[@]}"; do
    group="${group_names[$at]}" id="${group_ids[$at]}"
    [ -n "$id" ] || die "the directory has no group $group"
    if has "$assigned" "$id"; then
      kept "assignment of $group to $1"
      continue
    fi
    sso create-application-assignment --application-arn "$2" --principal-type GROUP --principal-id "$id"
    made "assignment of $group to $1"
  done
}

# ---- looking ------------------------------------------------------------------------------------------

check_application() {
  local described status provider policy
  described="$(look sso describe-application --application-arn "$application" \
    --query '[Status,ApplicationProviderArn]' --output text)"
  read -r status provider <<<"$described"
  expect "application is enabled" "$status" ENABLED
  expect "application is customer managed" "$provider" "$custom"
  expect "assignment is required" "$(look sso get-application-assignment-configuration \
    --application-arn "$application" --query AssignmentRequired --output text)" True
  policy="$(actor_policy)"
  if [[ "$policy" == *"\"$queries_role\""* ]]; then
    good "actor policy names $queries_role"
  else
    fault "actor policy does not name $queries_role: deploy the stack, then run this script"
  fi
  if [[ "$policy" == *'"*"'*'"Action"'* || "$policy" == *'"AWS": "*"'* || "$policy" == *'"Principal": "*"'* ]]; then
    fault "actor policy lets everybody exchange tokens"
  fi
}

check_issuer() {
  if [ -z "$issuer_arn" ]; then
    fault "there is no trusted token issuer $stack"
    return
  fi
  read_issuer_settings
  expect "issuer's address is the tokens' iss" "$issuer_url" "$issuer"
  expect "claim that finds the person" "$issuer_claim" "$claim"
  expect "attribute that it is compared with" "$issuer_attribute" "$attribute"
  if has "$(granted_audiences)" "$audience"; then
    good "grant lists our issuer and the audience $audience"
  else
    fault "grant $jwt_bearer does not list our issuer with the audience $audience"
  fi
  expect "refresh grant" "$(refresh_grant)" refresh_token
}

check_redshift() {
  read_redshift
  if [ -z "${managed:-}" ]; then
    fault "there is no application $redshift_name of Redshift in $warehouse_region"
    return
  fi
  good "Redshift's application $redshift_arn"
  if has "$(scope_targets)" "$managed"; then
    good "scope redshift:connect leads to Redshift's application"
  else
    fault "scope redshift:connect does not lead to Redshift's application $managed"
  fi
  check_assignments "Redshift's application" "$managed"
}

# check_assignments <what> <application>
check_assignments() {
  local assigned group id at
  assigned="$(assigned_groups "$2")"
  for at in "${!group_names[@]}"; do
    group="${group_names[$at]}" id="${group_ids[$at]}"
    if [ -z "$id" ]; then
      fault "the directory has no group $group"
    elif has "$assigned" "$id"; then
      good "$group is assigned to $1"
    else
      fault "$group is not assigned to $1"
    fi
  done
}

check_person() {
  local id
  id="$(look directory get-user-id --query UserId --output text --alternate-identifier \
    "{\"UniqueAttribute\":{\"AttributePath\":\"$attribute\",\"AttributeValue\":\"$person\"}}")"
  if [ -n "$id" ]; then
    good "the directory knows $person as $id"
  else
    fault "the directory knows nobody, or more than one person, whose $attribute is $person"
  fi
}

# ---- the two modes ------------------------------------------------------------------------------------

read_instance
read_groups
if [ "$mode" = check ]; then
  [ "${primary:-None}" = None ] || expect "Region of Identity Center" "$region" "$primary"
  read_application
  read_issuer
  if [ -n "$application" ]; then
    check_application
    check_issuer
    check_assignments "our application" "$application"
    check_redshift
  else
    fault "there is no application $stack"
  fi
  [ -z "$person" ] || check_person
  [ "$faults" -eq 0 ] || { printf '%s faults\n' "$faults" >&2; exit 1; }
  exit 0
fi

make_issuer
make_application
make_actor_policy
make_grants
make_assignments "our application" "$application"
make_redshift
if [ -n "${managed:-}" ]; then
  make_scope
  make_assignments "Redshift's application" "$managed"
fi
printf 'IdentityCenterRegion=%s\n' "$region"
printf 'IdentityCenterApplicationArn=%s\n' "$application"
[ -z "${redshift_arn:-}" ] || printf 'RedshiftIdcApplicationArn=%s\n' "$redshift_arn"
[ "$pending" -eq 0 ] || printf 'Deploy the stack with these parameters, then run this script again.\n' >&2
